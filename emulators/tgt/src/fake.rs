//! A tgtd for tests: the functions that the plugin calls, and logical units, nexuses and commands to call it with. Each test's thread
//! is a tgtd of its own.
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "a test's structures are its own")]

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::PathBuf;
use std::ptr;

use crate::abi::{self, BackingStore, ListHead, NexusUnit, OnEvent, ScsiCmd, ScsiLu};
use crate::options::Options;
use crate::plugin;
use crate::tgt::LogicalUnit;

/// What the plugin did.
#[derive(Default)]
struct Seen {
    /// Commands whose status was told, by address.
    finished: Vec<(usize, c_int)>,
    handlers: Vec<(c_int, OnEvent)>,
    log: Vec<String>,
}

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::default();
}

#[unsafe(no_mangle)]
static mut bst_list: ListHead = ListHead { next: ptr::null_mut(), prev: ptr::null_mut() };

#[unsafe(no_mangle)]
extern "C" fn register_backingstore_template(_: *mut BackingStore) -> c_int {
    0
}

/// As tgtd does: the operation's handler, and its status unless that is to come later.
#[unsafe(no_mangle)]
extern "C" fn target_cmd_perform(_: c_int, command: *mut ScsiCmd) -> c_int {
    // SAFETY: a test has made the command.
    let (unit, cdb) = unsafe { ((*command).dev, (*command).scb) };
    // SAFETY: its CDB has a byte at least.
    let code = usize::from(unsafe { *cdb });
    // SAFETY: its logical unit is alive.
    let perform = unsafe { (&(*unit).dev_type_template.ops)[code].cmd_perform }.unwrap();
    // SAFETY: it is a handler of the plugin, and the command is alive.
    let status = unsafe { perform(0, command) };
    // SAFETY: as above.
    if unsafe { (*command).state } & abi::CMD_ASYNC == 0 {
        target_cmd_io_done(command, status);
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn target_cmd_io_done(command: *mut ScsiCmd, status: c_int) {
    SEEN.with_borrow_mut(|seen| seen.finished.push((command.addr(), status)));
}

#[unsafe(no_mangle)]
extern "C" fn ua_sense_add_other_it_nexus(_: u64, _: *mut ScsiLu, _: u16) {}

#[unsafe(no_mangle)]
extern "C" fn tgt_event_add(fd: c_int, _: c_int, handler: OnEvent, _: *mut c_void) -> c_int {
    SEEN.with_borrow_mut(|seen| seen.handlers.push((fd, handler)));
    0
}

#[unsafe(no_mangle)]
extern "C" fn log_warning(_: *const c_char, line: *const c_char) {
    // SAFETY: the plugin's one format takes one string.
    let line = unsafe { CStr::from_ptr(line) }.to_string_lossy().into_owned();
    SEEN.with_borrow_mut(|seen| seen.log.push(line));
}

/// How often a line of the log has `text`.
pub(crate) fn logged(text: &str) -> usize {
    SEEN.with_borrow(|seen| seen.log.iter().filter(|line| line.contains(text)).count())
}

/// Calls all handlers of descriptors, ready or not.
pub(crate) fn ring_all() {
    for (fd, handler) in SEEN.with_borrow(|seen| seen.handlers.clone()) {
        // SAFETY: the plugin has asked for it.
        unsafe { handler(fd, abi::EPOLLIN, ptr::null_mut()) };
    }
}

fn put_in(head: *mut ListHead, new: *mut ListHead) {
    // SAFETY: a test has made both, and rings of its own.
    let (head, new) = unsafe { (&mut *head, &mut *new) };
    new.next = head.next;
    head.next = new;
}

fn empty(head: *mut ListHead) {
    // SAFETY: as above.
    unsafe {
        (*head).next = head;
    }
}

/// A logical unit of target 0, LUN 0, and its nexuses.
pub(crate) struct Unit {
    unit: *mut ScsiLu,
    nexuses: Vec<*mut NexusUnit>,
    directory: PathBuf,
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) status: c_int,
    pub(crate) data_in: Vec<u8>,
    pub(crate) sense: Vec<u8>,
    pub(crate) was_held: bool,
}

impl Unit {
    /// With a device server of that provisioning.
    pub(crate) fn new(name: &str, provisioning: &str, options: &str) -> Self {
        // SAFETY: zeros are a value of it: numbers, null pointers, no functions.
        let mut zeroed: Box<ScsiLu> = Box::new(unsafe { std::mem::zeroed() });
        zeroed.cmd_perform = Some(abi::target_cmd_perform);
        let unit = Box::into_raw(zeroed);
        // SAFETY: it was made above.
        empty(unsafe { &raw mut (*unit).lu_itl_info_list });
        let directory = std::env::temp_dir().join(format!("ikev2scsi-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("server.toml");
        std::fs::write(&file, provisioning).unwrap();
        let options = Options::parse(&format!("provisioning={};{options}", file.display())).unwrap();
        // SAFETY: it lives until `drop`, which removes it before.
        let logical_unit = unsafe { LogicalUnit::new(unit) }.unwrap();
        plugin::add(logical_unit, &options).unwrap();
        Self { unit, nexuses: Vec::new(), directory }
    }

    pub(crate) fn login(&mut self, nexus: u64) {
        // SAFETY: as above.
        let mut zeroed: Box<NexusUnit> = Box::new(unsafe { std::mem::zeroed() });
        zeroed.itn_id = nexus;
        zeroed.lu = self.unit;
        let new = Box::into_raw(zeroed);
        // SAFETY: it was made above.
        empty(unsafe { &raw mut (*new).pending_ua_sense_list });
        self.nexuses.push(new);
        self.link();
    }

    pub(crate) fn logout(&mut self, nexus: u64) {
        self.nexuses.retain(|at| {
            // SAFETY: it was made by `login`, and is freed here for the last time.
            let stays = unsafe { (**at).itn_id } != nexus;
            if !stays {
                // SAFETY: as above.
                drop(unsafe { Box::from_raw(*at) });
            }
            stays
        });
        self.link();
    }

    fn link(&self) {
        // SAFETY: the unit lives as long as `self`.
        let head = unsafe { &raw mut (*self.unit).lu_itl_info_list };
        empty(head);
        for at in &self.nexuses {
            // SAFETY: nexuses live until their logout.
            put_in(head, unsafe { &raw mut (**at).lu_itl_info_siblings });
        }
    }

    /// As tgtd resets a logical unit.
    pub(crate) fn reset(&self) {
        for at in &self.nexuses {
            // SAFETY: as above.
            unsafe { (**at).prevent = 0 };
        }
    }

    /// A command of a nexus, from its arrival to its status.
    pub(crate) fn command(&self, nexus: u64, cdb: &[u8], data_out: &mut [u8], room: u32) -> Ended {
        let mut cdb = cdb.to_vec();
        let mut data_in = vec![0xA5; room as usize];
        // SAFETY: zeros are a value of it.
        let mut command: Box<ScsiCmd> = Box::new(unsafe { std::mem::zeroed() });
        command.dev = self.unit;
        command.cmd_itn_id = nexus;
        command.scb = cdb.as_mut_ptr();
        command.scb_len = c_int::try_from(cdb.len()).unwrap();
        // SAFETY: nexuses live until their logout.
        let of_nexus = |at: &&*mut NexusUnit| unsafe { (***at).itn_id } == nexus;
        command.itn_lu_info = self.nexuses.iter().find(of_nexus).copied().unwrap();
        command.data_dir = if data_out.is_empty() { abi::DATA_READ } else { abi::DATA_WRITE };
        command.in_sdb.buffer = data_in.as_mut_ptr().expose_provenance() as u64;
        command.in_sdb.length = room;
        command.out_sdb.buffer = data_out.as_mut_ptr().expose_provenance() as u64;
        command.out_sdb.length = u32::try_from(data_out.len()).unwrap();
        let command = Box::into_raw(command);
        let told = || SEEN.with_borrow(|seen| seen.finished.iter().filter(|(at, _)| *at == command.addr()).count());
        // SAFETY: the unit lives.
        let first = unsafe { (*self.unit).cmd_perform }.unwrap();
        // SAFETY: so does the command.
        unsafe { first(0, command) };
        let was_held = told() == 0;
        while told() == 0 {
            ring_all();
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert_eq!(told(), 1, "a status is told once");
        let finished = SEEN.with_borrow_mut(|seen| std::mem::take(&mut seen.finished));
        // SAFETY: it was made above, and its status has been told.
        let command = unsafe { Box::from_raw(command) };
        data_in.truncate(command.in_sdb.transfer_len as usize);
        let sense = command.sense_buffer[..usize::try_from(command.sense_len).unwrap()].to_vec();
        Ended { status: finished[0].1, data_in, sense, was_held }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // SAFETY: the unit lives.
        plugin::remove(unsafe { LogicalUnit::new(self.unit) }.unwrap());
        for nexus in self.nexuses.drain(..) {
            // SAFETY: made by `login`, and dropped once.
            drop(unsafe { Box::from_raw(nexus) });
        }
        // SAFETY: made by `new`, and dropped once.
        drop(unsafe { Box::from_raw(self.unit) });
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
