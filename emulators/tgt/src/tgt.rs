//! tgtd's commands and logical units as values of ours: each wrapped pointer is made in one place, which answers for it.
//!
//! What lives here: reading and writing of tgtd's structures. What does not: what is written.

use std::ffi::{CStr, CString, c_int};
use std::ptr::{self, NonNull};

use crate::abi::{self, NexusUnit, Operation, Perform, ScsiCmd, ScsiLu};

/// SCSI statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    Good = 0x00,
    CheckCondition = 0x02,
    TaskAborted = 0x40,
}

impl From<Status> for c_int {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// A command that tgtd waits for.
///
/// A command's memory is tgtd's. It frees a command that was handed to a handler when its status has been sent, or at once where
/// its connection is closed by then, but never before it was told the status: neither an abort, nor a closed connection, nor a reset ends a
/// command that is being performed, and a nexus or logical unit with such a command is not removed. So a command lives until its
/// status is told, exactly once, and this type is not `Clone`: [`Command::finish`] takes it.
pub(crate) struct Command(NonNull<ScsiCmd>);

impl Command {
    /// # Safety
    /// `command` is one that tgtd has just handed to a handler; whoever gets the value is the only one to tell its status.
    pub(crate) unsafe fn new(command: *mut ScsiCmd) -> Option<Self> {
        NonNull::new(command).map(Self)
    }

    const fn at(&self) -> *mut ScsiCmd {
        self.0.as_ptr()
    }

    /// The address of the logical unit, its number among ours.
    pub(crate) fn unit(&self) -> usize {
        // SAFETY: a command lives as long as its `Command`.
        unsafe { (*self.at()).dev }.addr()
    }

    /// The I_T nexus.
    pub(crate) fn nexus(&self) -> u64 {
        // SAFETY: as above.
        unsafe { (*self.at()).cmd_itn_id }
    }

    /// The first `N` bytes of the CDB; `None` if it is shorter.
    pub(crate) fn cdb<const N: usize>(&self) -> Option<[u8; N]> {
        // SAFETY: as above.
        let command = unsafe { &*self.at() };
        let is_there = usize::try_from(command.scb_len).is_ok_and(|len| len >= N) && !command.scb.is_null();
        // SAFETY: `scb` points to `scb_len` bytes, which are N at least.
        is_there.then(|| unsafe { command.scb.cast::<[u8; N]>().read() })
    }

    /// A copy of Data-Out, of `most` bytes at most.
    pub(crate) fn data_out(&self, most: usize) -> Vec<u8> {
        // SAFETY: as above.
        let command = unsafe { &*self.at() };
        let from = ptr::with_exposed_provenance::<u8>(usize::try_from(command.out_sdb.buffer).unwrap_or(0));
        let len = usize::try_from(command.out_sdb.length).unwrap_or(0).min(most);
        if command.data_dir & abi::DATA_WRITE == 0 || from.is_null() {
            return Vec::new();
        }
        // SAFETY: tgtd has received `out_sdb.length` bytes into the buffer before it handed the command over.
        unsafe { std::slice::from_raw_parts(from, len) }.to_vec()
    }

    /// Bytes for which the initiator has room.
    fn room(&self) -> usize {
        // SAFETY: as above.
        let command = unsafe { &*self.at() };
        let is_read = command.data_dir & abi::DATA_READ != 0 && command.in_sdb.buffer != 0;
        if is_read { usize::try_from(command.in_sdb.length).unwrap_or(0) } else { 0 }
    }

    /// Sets Data-In, as much of it as there is room for, and the residual count of what is more or less than that.
    pub(crate) fn set_data_in(&mut self, data: &[u8]) {
        let len = data.len().min(self.room());
        // SAFETY: as above, and nobody else refers to it meanwhile.
        let command = unsafe { &mut *self.at() };
        let into = ptr::with_exposed_provenance_mut::<u8>(usize::try_from(command.in_sdb.buffer).unwrap_or(0));
        if len > 0 {
            // SAFETY: the buffer has `in_sdb.length` bytes, `len` at least, and is tgtd's, so that it is not `data`.
            unsafe { ptr::copy_nonoverlapping(data.as_ptr(), into, len) };
        }
        let sent = u32::try_from(data.len()).unwrap_or(u32::MAX);
        command.in_sdb.transfer_len = u32::try_from(len).unwrap_or(0);
        command.in_sdb.resid = residual(command.in_sdb.length, sent);
    }

    /// Tells how many bytes of Data-Out the command has asked for.
    pub(crate) fn set_data_out_taken(&mut self, asked: u32) {
        // SAFETY: as above.
        let command = unsafe { &mut *self.at() };
        command.out_sdb.transfer_len = asked.min(command.out_sdb.length);
        command.out_sdb.resid = residual(command.out_sdb.length, asked);
    }

    /// Sets sense data; what is beyond tgtd's 252 bytes is dropped, and none is that long.
    pub(crate) fn set_sense(&mut self, sense: &[u8]) {
        // SAFETY: as above.
        let command = unsafe { &mut *self.at() };
        command.sense_buffer.iter_mut().zip(sense).for_each(|(to, from)| *to = *from);
        let len = sense.len().min(command.sense_buffer.len());
        command.sense_len = c_int::try_from(len).unwrap_or(0);
    }

    /// Tells tgtd that the status comes later, by [`Command::finish`].
    pub(crate) fn hold(&mut self) {
        // SAFETY: as above.
        unsafe { (*self.at()).state |= abi::CMD_ASYNC };
    }

    /// Tells the status of a command that was held.
    ///
    /// tgtd may perform other commands inside of this call: nothing of ours may be borrowed meanwhile.
    pub(crate) fn finish(self, status: Status) {
        // SAFETY: the command was held, and `self` is the one value by which it can be finished.
        unsafe { abi::target_cmd_io_done(self.at(), status.into()) };
    }

    /// What the nexus and the logical unit have together.
    pub(crate) fn nexus_unit(&self) -> Option<NexusMark> {
        // SAFETY: as above.
        NonNull::new(unsafe { (*self.at()).itn_lu_info }).map(NexusMark)
    }
}

/// RESIDUAL COUNT: positive when there was less than expected, negative when there was more.
fn residual(expected: u32, actual: u32) -> i32 {
    let resid = i64::from(expected).saturating_sub(i64::from(actual));
    i32::try_from(resid).unwrap_or(if resid < 0 { i32::MIN } else { i32::MAX })
}

/// A mark that a logical unit reset wipes away.
///
/// tgtd tells no plugin of a reset, but it zeroes the member `prevent` of each nexus, of which only the two lowest bits mean
/// something to it. We set a high bit; when it is gone, there was a reset, or a PREVENT ALLOW MEDIUM REMOVAL, which we hear of.
pub(crate) struct NexusMark(NonNull<NexusUnit>);

impl NexusMark {
    const BIT: c_int = 1 << 24;

    pub(crate) fn nexus(&self) -> u64 {
        // SAFETY: a `NexusMark` is made and dropped inside of one call from tgtd, which removes no nexus meanwhile.
        unsafe { (*self.0.as_ptr()).itn_id }
    }

    pub(crate) fn is_set(&self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.0.as_ptr()).prevent & Self::BIT != 0 }
    }

    pub(crate) fn set(&self) {
        // SAFETY: as above.
        unsafe { (*self.0.as_ptr()).prevent |= Self::BIT };
    }

    /// Unit attention conditions of a reset that wait for the nexus: one from its login, and one of each reset since.
    pub(crate) fn resets_untold(&self) -> usize {
        let head = self.0.as_ptr();
        // SAFETY: as above; only the member's address is taken.
        let head = unsafe { &raw const (*head).pending_ua_sense_list };
        let mut count = 0_usize;
        for at in ring(head) {
            // SAFETY: the list's members are of this type, which begins with the `ListHead` that links them.
            let attention = unsafe { &*at.cast::<abi::Attention>() };
            let code = match attention.sense {
                [0x72 | 0x73, _, asc, ascq, ..] | [0x70 | 0x71, _, _, _, _, _, _, _, _, _, _, _, asc, ascq, ..] => {
                    (asc, ascq)
                }
                _ => continue,
            };
            if code == (0x29, 0x00) {
                count = count.saturating_add(1);
            }
        }
        count
    }
}

/// The members of a list of tgtd's.
pub(crate) fn ring(head: *const abi::ListHead) -> impl Iterator<Item = *mut abi::ListHead> {
    // SAFETY: a list's head is alive while it is walked, which is inside of one call from tgtd.
    let mut at = unsafe { (*head).next };
    std::iter::from_fn(move || {
        if at.is_null() || ptr::eq(at, head) {
            return None;
        }
        let this = at;
        // SAFETY: members of a list are alive, and linked in a ring that ends at its head.
        at = unsafe { (*this).next };
        Some(this)
    })
}

/// A logical unit between its `bs_init` and its `bs_exit`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogicalUnit(NonNull<ScsiLu>);

impl LogicalUnit {
    /// # Safety
    /// `unit` is a logical unit of tgtd's, and the value is dropped when its `bs_exit` returns.
    pub(crate) unsafe fn new(unit: *mut ScsiLu) -> Option<Self> {
        NonNull::new(unit).map(Self)
    }

    pub(crate) const fn at(self) -> *mut ScsiLu {
        self.0.as_ptr()
    }

    /// Its number among ours.
    pub(crate) fn number(self) -> usize {
        self.0.addr().get()
    }

    /// The number of its target, and its own there.
    pub(crate) fn name(self) -> (c_int, u64) {
        // SAFETY: a logical unit lives as long as its `LogicalUnit`.
        let unit = unsafe { &*self.at() };
        // SAFETY: a logical unit's target outlives it.
        (if unit.tgt.is_null() { 0 } else { unsafe { (*unit.tgt).tid } }, unit.lun)
    }

    /// PERIPHERAL DEVICE TYPE.
    pub(crate) fn device_type(self) -> u8 {
        // SAFETY: as above.
        unsafe { (*self.at()).dev_type_template.kind }
    }

    /// D_SENSE.
    pub(crate) fn wants_descriptors(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.at()).attrs.sense_format != 0 }
    }

    pub(crate) fn want_descriptors(self) {
        // SAFETY: as above.
        unsafe { (*self.at()).attrs.sense_format = 1 };
    }

    /// What becomes of an operation code.
    fn operation(self, code: u8) -> *mut Operation {
        // SAFETY: as above; only an address is taken.
        let first = unsafe { (&raw mut (*self.at()).dev_type_template.ops).cast::<Operation>() };
        // SAFETY: there are 256 of them.
        unsafe { first.add(usize::from(code)) }
    }

    /// Has `handler` perform an operation code; gives who did.
    pub(crate) fn take_over(self, code: u8, handler: Perform) -> Option<Perform> {
        // SAFETY: the operation is the logical unit's, and nobody else refers to it inside of this call.
        unsafe { &mut *self.operation(code) }.cmd_perform.replace(handler)
    }

    /// A command for which there was nothing: it takes no service action, and a reservation of another nexus is in its way.
    pub(crate) fn add(self, code: u8, handler: Perform) {
        let new =
            Operation { cmd_perform: Some(handler), service_actions: ptr::null_mut(), pr_conflict_bits: abi::PR_ANY };
        // SAFETY: as above.
        unsafe { *self.operation(code) = new };
    }

    /// Has `handler` take each command first; false where tgtd does not perform the commands itself.
    pub(crate) fn take_all(self, handler: Perform) -> bool {
        let own: Perform = abi::target_cmd_perform;
        // SAFETY: as above.
        let unit = unsafe { &mut *self.at() };
        let is_own = unit.cmd_perform.is_some_and(|perform| ptr::fn_addr_eq(perform, own));
        if is_own {
            unit.cmd_perform = Some(handler);
        }
        is_own
    }

    /// All its I_T nexuses.
    pub(crate) fn nexuses(self) -> Vec<NexusMark> {
        // SAFETY: as above; only the member's address is taken.
        let head = unsafe { &raw const (*self.at()).lu_itl_info_list };
        let back = std::mem::offset_of!(NexusUnit, lu_itl_info_siblings);
        ring(head).filter_map(|at| NonNull::new(at.wrapping_byte_sub(back).cast()).map(NexusMark)).collect()
    }

    /// A unit attention condition for all nexuses but one.
    pub(crate) fn attend_others(self, nexus: u64, asc: u16) {
        // SAFETY: the logical unit is tgtd's, and we are in its thread.
        unsafe { abi::ua_sense_add_other_it_nexus(nexus, self.at(), asc) };
    }
}

/// A line in tgtd's log: standard error, or syslog where it is a daemon (of which it takes 255 bytes).
pub(crate) fn log(line: &str) {
    const FORMAT: &CStr = c"%s\n";
    let Ok(line) = CString::new(format!("ikev2scsi: {line}").replace('\0', " ")) else { return };
    // SAFETY: the format takes one string, and both are alive.
    unsafe { abi::log_warning(FORMAT.as_ptr(), line.as_ptr()) };
}

#[cfg(test)]
mod tests {
    use super::residual;

    #[test]
    fn residuals_say_which_side_had_more() {
        assert_eq!([residual(100, 60), residual(100, 100), residual(60, 100)], [40, 0, -40]);
        assert_eq!([residual(u32::MAX, 0), residual(0, u32::MAX)], [i32::MAX, i32::MIN]);
    }
}
