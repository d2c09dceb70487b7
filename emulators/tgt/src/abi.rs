//! tgtd's structures and functions as its 64-bit headers lay them out (tgt 1.0.85 to 1.0.97, which agree).
//!
//! What lives here: declarations, and the numbers by which they are checked. `layout.h` has the same numbers for a C compiler, and
//! `headers-check` compares them with tgt's own headers. What does not: any use of them.
//!
//! Members that nobody here looks at are taken together, so that nothing is declared that is not needed.

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};

/// `struct list_head`: a ring of which the head is a member like the others.
#[repr(C)]
pub(crate) struct ListHead {
    pub(crate) next: *mut ListHead,
    pub(crate) prev: *mut ListHead,
}

/// `struct scsi_data_buffer`: Data-In or Data-Out of a command.
#[repr(C)]
pub(crate) struct DataBuffer {
    /// An address.
    pub(crate) buffer: u64,
    /// Bytes that the initiator sends, or has room for.
    pub(crate) length: u32,
    /// Bytes to be transferred.
    pub(crate) transfer_len: u32,
    /// Positive: underflow; negative: overflow.
    pub(crate) resid: i32,
}

/// `struct scsi_cmd`: one command.
#[repr(C)]
pub(crate) struct ScsiCmd {
    pub(crate) c_target: *mut Target,
    pub(crate) lists: [ListHead; 2],
    pub(crate) dev_id: u64,
    pub(crate) dev: *mut ScsiLu,
    /// Bits: queued, processed, asynchronous, not last.
    pub(crate) state: c_ulong,
    pub(crate) data_dir: c_uint,
    pub(crate) in_sdb: DataBuffer,
    pub(crate) out_sdb: DataBuffer,
    pub(crate) cmd_itn_id: u64,
    pub(crate) offset: u64,
    pub(crate) tl: u32,
    /// The CDB.
    pub(crate) scb: *mut u8,
    pub(crate) scb_len: c_int,
    pub(crate) lun: [u8; 8],
    pub(crate) attribute: c_int,
    pub(crate) tag: u64,
    pub(crate) result: c_int,
    pub(crate) mreq: *mut c_void,
    pub(crate) sense_buffer: [u8; 252],
    pub(crate) sense_len: c_int,
    pub(crate) bs_list: ListHead,
    pub(crate) it_nexus: *mut c_void,
    pub(crate) itn_lu_info: *mut NexusUnit,
}

/// A command's handler: takes the host number and the command, and gives a SCSI status.
pub(crate) type Perform = unsafe extern "C" fn(c_int, *mut ScsiCmd) -> c_int;

/// `struct device_type_operations`: what becomes of an operation code.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) cmd_perform: Option<Perform>,
    pub(crate) service_actions: *mut c_void,
    /// Under which reservations of others it is refused.
    pub(crate) pr_conflict_bits: u8,
}

/// `struct device_type_template`, of which each logical unit has a copy.
#[repr(C)]
pub(crate) struct DeviceType {
    /// PERIPHERAL DEVICE TYPE.
    pub(crate) kind: u8,
    pub(crate) functions: [*mut c_void; 6],
    pub(crate) ops: [Operation; 256],
    pub(crate) siblings: ListHead,
}

/// `bs_init`: takes the logical unit and its options, and gives a `tgtadm_err`.
pub(crate) type BsInit = unsafe extern "C" fn(*mut ScsiLu, *mut c_char) -> c_uint;
/// `bs_exit`.
pub(crate) type BsExit = unsafe extern "C" fn(*mut ScsiLu);

/// `struct backingstore_template`.
#[repr(C)]
pub(crate) struct BackingStore {
    pub(crate) bs_name: *const c_char,
    /// Bytes that the store has behind the logical unit.
    pub(crate) bs_datasize: c_int,
    pub(crate) bs_open: *mut c_void,
    pub(crate) bs_close: *mut c_void,
    pub(crate) bs_init: Option<BsInit>,
    pub(crate) bs_exit: Option<BsExit>,
    pub(crate) bs_cmd_submit: *mut c_void,
    pub(crate) bs_oflags_supported: c_int,
    /// A bit for each operation code; without that of TEST UNIT READY it means nothing.
    pub(crate) bs_supported_ops: [c_ulong; 4],
    pub(crate) siblings: ListHead,
}

/// `struct lu_phy_attr`: what INQUIRY tells, and the like.
#[repr(C)]
pub(crate) struct Attributes {
    pub(crate) names: [u64; 17],
    pub(crate) device_type: u8,
    pub(crate) flags: [u8; 6],
    /// D_SENSE: 0 for fixed format, else descriptor format.
    pub(crate) sense_format: u8,
    pub(crate) pages: [u64; 129],
}

/// `struct scsi_lu`: a logical unit.
#[repr(C)]
pub(crate) struct ScsiLu {
    pub(crate) fd: c_int,
    pub(crate) addr: u64,
    pub(crate) size: u64,
    pub(crate) lun: u64,
    pub(crate) path: *mut c_char,
    pub(crate) bsoflags: c_int,
    pub(crate) blk_shift: c_uint,
    pub(crate) device_siblings: ListHead,
    /// A [`NexusUnit`] for each I_T nexus.
    pub(crate) lu_itl_info_list: ListHead,
    pub(crate) cmd_queue: [u64; 4],
    pub(crate) reserve_id: u64,
    pub(crate) dev_type_template: DeviceType,
    pub(crate) bst: *mut BackingStore,
    pub(crate) tgt: *mut Target,
    pub(crate) mode_block_descriptor: [u8; 8],
    pub(crate) mode_pages: ListHead,
    pub(crate) attrs: Attributes,
    pub(crate) registration_list: ListHead,
    pub(crate) prgeneration: u32,
    pub(crate) pr_holder: *mut c_void,
    pub(crate) xxc_p: *mut c_void,
    /// Takes each command first.
    pub(crate) cmd_perform: Option<Perform>,
    pub(crate) cmd_done: *mut c_void,
}

/// `struct it_nexus_lu_info`: what an I_T nexus and a logical unit have together.
#[repr(C)]
pub(crate) struct NexusUnit {
    pub(crate) lu: *mut ScsiLu,
    pub(crate) itn_id: u64,
    pub(crate) stat: [u64; 8],
    pub(crate) itn_itl_info_siblings: ListHead,
    pub(crate) lu_itl_info_siblings: ListHead,
    /// An [`Attention`] for each unit attention condition.
    pub(crate) pending_ua_sense_list: ListHead,
    /// PREVENT of the last PREVENT ALLOW MEDIUM REMOVAL; a logical unit reset zeroes it.
    pub(crate) prevent: c_int,
}

/// `struct ua_sense`: a unit attention condition that was not told yet.
#[repr(C)]
pub(crate) struct Attention {
    pub(crate) siblings: ListHead,
    pub(crate) sense: [u8; 252],
    pub(crate) sense_len: c_int,
}

/// The beginning of `struct target`.
#[repr(C)]
pub(crate) struct Target {
    pub(crate) name: *mut c_char,
    pub(crate) tid: c_int,
}

/// `TGT_CMD_ASYNC` of a command's state.
pub(crate) const CMD_ASYNC: c_ulong = 1 << 2;
/// `DATA_WRITE` and `DATA_READ`, bits of a command's direction.
pub(crate) const DATA_WRITE: c_uint = 1;
pub(crate) const DATA_READ: c_uint = 2;
/// `TGTADM_SUCCESS`, `TGTADM_UNKNOWN_ERR`, `TGTADM_INVALID_REQUEST`.
pub(crate) const ADM_SUCCESS: c_uint = 0;
pub(crate) const ADM_UNKNOWN: c_uint = 1;
pub(crate) const ADM_INVALID_REQUEST: c_uint = 17;
/// Reservations of all types but those that a registered nexus shares: `PR_WE_FA`, `PR_EA_FA`, `PR_WE_FN`, `PR_EA_FN`.
pub(crate) const PR_ANY: u8 = 1 << 4 | 1 << 3 | 1 << 1 | 1;
/// `EPOLLIN`.
pub(crate) const EPOLLIN: c_int = 1;

/// `event_handler_t`.
pub(crate) type OnEvent = unsafe extern "C" fn(c_int, c_int, *mut c_void);

// All of them may be called by the thread of tgtd's event loop only.
unsafe extern "C" {
    pub(crate) fn register_backingstore_template(store: *mut BackingStore) -> c_int;
    pub(crate) fn target_cmd_perform(tid: c_int, command: *mut ScsiCmd) -> c_int;
    pub(crate) fn target_cmd_io_done(command: *mut ScsiCmd, status: c_int);
    pub(crate) fn ua_sense_add_other_it_nexus(nexus: u64, unit: *mut ScsiLu, asc: u16);
    pub(crate) fn tgt_event_add(fd: c_int, events: c_int, handler: OnEvent, data: *mut c_void) -> c_int;
    pub(crate) fn log_warning(format: *const c_char, ...);
    /// All backing stores.
    pub(crate) static mut bst_list: ListHead;
}

/// Compares sizes and offsets with the numbers of tgt's headers when this is compiled.
macro_rules! layout {
    ($($type:ident = $size:literal { $($field:ident: $offset:literal),* $(,)? })*) => {
        $(
            const _: () = assert!(size_of::<$type>() == $size);
            $(const _: () = assert!(std::mem::offset_of!($type, $field) == $offset);)*
        )*
        /// The same numbers, for the test that compares them with `layout.h`.
        #[cfg(test)]
        pub(crate) const LAYOUT: &[(&str, &str, usize)] = &[
            $((stringify!($type), "", $size), $((stringify!($type), stringify!($field), $offset),)*)*
        ];
    };
}

layout! {
    ListHead = 16 { next: 0, prev: 8 }
    DataBuffer = 24 { buffer: 0, length: 8, transfer_len: 12, resid: 16 }
    ScsiCmd = 480 {
        c_target: 0, dev_id: 40, dev: 48, state: 56, data_dir: 64, in_sdb: 72, out_sdb: 96, cmd_itn_id: 120, scb: 144,
        scb_len: 152, tag: 168, mreq: 184, sense_buffer: 192, sense_len: 444, itn_lu_info: 472,
    }
    Operation = 24 { cmd_perform: 0, service_actions: 8, pr_conflict_bits: 16 }
    DeviceType = 6216 { kind: 0, ops: 56 }
    BackingStore = 112 {
        bs_name: 0, bs_datasize: 8, bs_init: 32, bs_exit: 40, bs_supported_ops: 64, siblings: 96,
    }
    Attributes = 1176 { device_type: 136, sense_format: 143 }
    ScsiLu = 7608 {
        lun: 24, lu_itl_info_list: 64, dev_type_template: 120, bst: 6336, tgt: 6344, attrs: 6376, cmd_perform: 7592,
    }
    NexusUnit = 136 { itn_id: 8, lu_itl_info_siblings: 96, pending_ua_sense_list: 112, prevent: 128 }
    Attention = 272 { siblings: 0, sense: 16, sense_len: 268 }
}
const _: () = assert!(std::mem::offset_of!(Target, tid) == 8);
