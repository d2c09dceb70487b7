//! Backing stores: `ikev2scsi`, and those that tgtd has, of which a logical unit gets the commands if it asks for them.
//!
//! A backing store's `bs_init` runs when a logical unit has its own copy of its device type's handlers: the moment at which they can be
//! replaced for this logical unit alone. The store `ikev2scsi` keeps nothing itself. It turns the logical unit over to a copy of
//! another store: `rdwr`, or the one that is asked for. tgtadm has tapes, CDs and changers use stores of their own, whatever it is
//! told; so the others are wrapped as well, and their logical units ask by naming a provisioning file in their options.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_ulong};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::abi::{self, BackingStore, BsExit, BsInit, ScsiLu};
use crate::options::{Options, VARIABLE};
use crate::plugin::{self, SECURITY_PROTOCOL_IN, SECURITY_PROTOCOL_OUT};
use crate::tgt::{self, LogicalUnit};

const NAME: &CStr = c"ikev2scsi";
/// PERIPHERAL DEVICE TYPE of tapes.
const TAPE: u8 = 0x01;
/// `TEST UNIT READY`, without whose bit a store's list of operation codes means nothing.
const TEST_UNIT_READY: u8 = 0x00;

/// A store of tgtd's that does the work, and the functions that ours stand before.
#[derive(Clone, Copy)]
struct Store {
    init: Option<BsInit>,
    exit: Option<BsExit>,
}

impl Store {
    /// Gives a `tgtadm_err`.
    fn init(self, logical_unit: LogicalUnit, options: *mut c_char) -> u32 {
        let Some(init) = self.init else { return abi::ADM_SUCCESS };
        // SAFETY: this is what tgtd would have called, with the same arguments.
        unsafe { init(logical_unit.at(), options) }
    }

    fn exit(self, logical_unit: LogicalUnit) {
        if let Some(exit) = self.exit {
            // SAFETY: this is what tgtd would have called, with the same argument.
            unsafe { exit(logical_unit.at()) };
        }
    }
}

#[derive(Default)]
struct Stores {
    /// By the address of the template that logical units refer to.
    stores: Vec<(*const BackingStore, Store)>,
    /// Bytes behind a logical unit of `ikev2scsi`.
    room: c_int,
    /// Options of the environment.
    defaults: Option<Result<Options, String>>,
}

thread_local! {
    static STORES: RefCell<Stores> = RefCell::default();
}

impl Stores {
    fn find(&self, template: *const BackingStore) -> Option<Store> {
        self.stores.iter().find(|(at, _)| ptr::eq(*at, template)).map(|(_, store)| *store)
    }

    fn defaults(&self) -> Result<Options, String> {
        self.defaults.clone().unwrap_or_else(|| Ok(Options::default()))
    }
}

/// Work with the stores; `None` when they are in use, which is not to happen.
fn with<T>(work: impl FnOnce(&mut Stores) -> T) -> Option<T> {
    STORES.with(|stores| stores.try_borrow_mut().ok().map(|mut stores| work(&mut stores)))
}

/// What tgtd calls when it has loaded the plugin: registers the backing store `ikev2scsi`.
#[unsafe(no_mangle)]
pub extern "C" fn register_bs_module() {
    // A panic has printed what there is to say, and tgtd goes on without us.
    let _ = catch_unwind(register);
}

fn register() {
    let defaults = Options::parse(&std::env::var(VARIABLE).unwrap_or_default());
    if let Err(why) = &defaults {
        tgt::log(&format!("{VARIABLE}: {why}"));
    }
    let theirs = templates();
    let room = theirs.iter().map(|at| {
        // SAFETY: tgtd's templates live as long as the process.
        unsafe { (**at).bs_datasize }
    });
    let room = room.max().unwrap_or(0);
    with(|stores| {
        stores.room = room;
        stores.defaults = Some(defaults);
        theirs.iter().copied().filter(|at| is_wrappable(*at)).for_each(|at| wrap(stores, at));
    });
    let Some(basis) = find_template(c"rdwr") else {
        tgt::log("tgtd has no backing store rdwr");
        return;
    };
    // SAFETY: as above; a template is plain data.
    let basis = unsafe { ptr::read(basis) };
    let own = BackingStore {
        bs_name: NAME.as_ptr(),
        bs_datasize: room,
        bs_init: Some(own_init),
        bs_exit: None,
        bs_supported_ops: [0; 4],
        ..basis
    };
    // SAFETY: the template lives as long as the process.
    unsafe { abi::register_backingstore_template(Box::leak(Box::new(own))) };
}

/// All templates that tgtd has.
fn templates() -> Vec<*mut BackingStore> {
    let back = std::mem::offset_of!(BackingStore, siblings);
    let head = &raw mut abi::bst_list;
    tgt::ring(head).map(|at| at.wrapping_byte_sub(back).cast()).collect()
}

fn find_template(name: &CStr) -> Option<*mut BackingStore> {
    templates().into_iter().find(|at| name_of(*at) == Some(name))
}

fn name_of<'a>(template: *const BackingStore) -> Option<&'a CStr> {
    // SAFETY: tgtd's templates live as long as the process.
    let name = unsafe { (*template).bs_name };
    // SAFETY: and so do their names.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
}

/// Not the store of logical units without medium, which targets have at LUN 0, nor those that pass commands on to a device.
fn is_wrappable(template: *const BackingStore) -> bool {
    let name = name_of(template).unwrap_or_default().to_bytes();
    !name.is_empty() && name != b"null" && !name.starts_with(b"sg") && !name.starts_with(b"bsg")
}

fn wrap(stores: &mut Stores, template: *mut BackingStore) {
    // SAFETY: as above, and tgtd looks at it in this thread only.
    let store = unsafe { &mut *template };
    stores.stores.push((template, Store { init: store.bs_init, exit: store.bs_exit }));
    store.bs_init = Some(wrapped_init);
    store.bs_exit = Some(wrapped_exit);
    allow(&mut store.bs_supported_ops);
}

/// Adds our commands to a list of operation codes that has any.
fn allow(list: &mut [c_ulong; 4]) {
    let place = |code: u8| (usize::from(code >> 6), c_ulong::from(1_u8) << (code & 63));
    let (word, bit) = place(TEST_UNIT_READY);
    if list.get(word).is_some_and(|word| word & bit == 0) {
        return;
    }
    for code in [SECURITY_PROTOCOL_IN, SECURITY_PROTOCOL_OUT] {
        let (word, bit) = place(code);
        if let Some(word) = list.get_mut(word) {
            *word |= bit;
        }
    }
}

/// A logical unit of `ikev2scsi`.
unsafe extern "C" fn own_init(unit: *mut ScsiLu, options: *mut c_char) -> u32 {
    let init = || -> Result<u32, String> {
        // SAFETY: tgtd hands a logical unit whose `bs_exit` is still to come.
        let logical_unit = unsafe { LogicalUnit::new(unit) }.ok_or("no logical unit")?;
        // SAFETY: tgtd hands a string or nothing.
        let own = Options::parse(&unsafe { text(options) })?;
        let defaults = with(|stores| stores.defaults()).unwrap_or_else(|| Ok(Options::default()))?;
        let options = own.or(&defaults);
        let usual = if logical_unit.device_type() == TAPE { "ssc" } else { "rdwr" };
        let template = copy_of(options.store.as_deref().unwrap_or(usual))?;
        // SAFETY: the logical unit is tgtd's, and nobody else refers to it inside of this call.
        unsafe { (*unit).bst = template };
        init_store(logical_unit, template, ptr::null_mut(), &options).map(|()| abi::ADM_SUCCESS)
    };
    told(catch_unwind(AssertUnwindSafe(init)))
}

/// A logical unit of another store. It gets the commands where its options ask for them, or with `wrap=all`; otherwise it is what
/// it would be without us.
unsafe extern "C" fn wrapped_init(unit: *mut ScsiLu, options: *mut c_char) -> u32 {
    let wanted = || {
        // SAFETY: as above.
        let own = Options::parse(&unsafe { text(options) }).ok().filter(|own| own.provisioning.is_some());
        let defaults = with(|stores| stores.defaults()).unwrap_or_else(|| Ok(Options::default()));
        match (own, defaults) {
            (None, Ok(defaults)) if !defaults.wraps_all => None,
            (own, defaults) => Some(defaults.map(|defaults| own.unwrap_or_default().or(&defaults))),
        }
    };
    let init = || -> Result<u32, String> {
        // SAFETY: as above.
        let logical_unit = unsafe { LogicalUnit::new(unit) }.ok_or("no logical unit")?;
        // SAFETY: as above.
        let template = unsafe { (*unit).bst };
        match wanted() {
            Some(wanted) => init_store(logical_unit, template, options, &wanted?).map(|()| abi::ADM_SUCCESS),
            None => Ok(store_of(template)?.init(logical_unit, options)),
        }
    };
    told(catch_unwind(AssertUnwindSafe(init)))
}

/// What the store does first, then ours.
fn init_store(
    logical_unit: LogicalUnit,
    template: *const BackingStore,
    store_options: *mut c_char,
    options: &Options,
) -> Result<(), String> {
    let store = store_of(template)?;
    let error = store.init(logical_unit, store_options);
    if error != abi::ADM_SUCCESS {
        return Err(format!("the backing store that keeps the blocks refuses: error {error}"));
    }
    // tgtd calls no `bs_exit` where `bs_init` has failed.
    plugin::add(logical_unit, options).inspect_err(|_| store.exit(logical_unit))
}

fn store_of(template: *const BackingStore) -> Result<Store, &'static str> {
    with(|stores| stores.find(template)).flatten().ok_or("not one of our backing stores")
}

/// A panic has printed what there is to say.
fn told(result: std::thread::Result<Result<u32, String>>) -> u32 {
    match result {
        Ok(Ok(error)) => error,
        Ok(Err(why)) => {
            tgt::log(&why);
            abi::ADM_INVALID_REQUEST
        }
        Err(_) => abi::ADM_UNKNOWN,
    }
}

unsafe extern "C" fn wrapped_exit(unit: *mut ScsiLu) {
    let exit = || {
        // SAFETY: tgtd hands a logical unit that has been initialised.
        let Some(logical_unit) = (unsafe { LogicalUnit::new(unit) }) else { return };
        plugin::remove(logical_unit);
        // SAFETY: as above.
        let template = unsafe { (*unit).bst };
        if let Ok(store) = store_of(template) {
            store.exit(logical_unit);
        }
    };
    // A panic has printed what there is to say.
    let _ = catch_unwind(AssertUnwindSafe(exit));
}

/// A copy of tgtd's store of that name, under our name; made once.
fn copy_of(name: &str) -> Result<*mut BackingStore, String> {
    let c_name = CString::new(name).unwrap_or_default();
    let template = find_template(&c_name).ok_or_else(|| format!("tgtd has no backing store {name}"))?;
    if !is_wrappable(template) || c_name.as_c_str() == NAME {
        return Err(format!("the backing store {name} keeps no blocks"));
    }
    // SAFETY: as above; a template is plain data.
    let mut copy = unsafe { ptr::read(template) };
    with(|stores| {
        if copy.bs_datasize > stores.room {
            return Err(format!("the backing store {name} was loaded too late"));
        }
        let store = stores.find(template).unwrap_or(Store { init: copy.bs_init, exit: copy.bs_exit });
        copy.bs_name = NAME.as_ptr();
        copy.bs_init = Some(wrapped_init);
        copy.bs_exit = Some(wrapped_exit);
        allow(&mut copy.bs_supported_ops);
        let copy: *mut BackingStore = Box::leak(Box::new(copy));
        stores.stores.push((copy, store));
        Ok(copy)
    })
    .unwrap_or_else(|| Err("a fault of the plugin".into()))
}

/// # Safety
/// `text` is null or a string.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
