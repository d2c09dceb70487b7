//! What a device server tells its embedder.

use std::ffi::{c_char, c_int};

use ikev2_scsi::NexusId;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::server::{DropReason, Event, EventKind, RemovalReason};

use crate::boundary::Failure;
use crate::codes::{CallResult, DropReasonCode, EventCode, RemovalReasonCode};
use crate::handles::ServerHandle;
use crate::pointers::{Buffer, Out};
use crate::server::with_unit;

/// Something that happened.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct EventData {
    /// An ikev2_scsi_event_kind.
    pub kind: u32,
    /// What the kind says it is; else 0.
    pub reason: u32,
    /// When, in milliseconds on the clock of `now`.
    pub at: u64,
    /// 1 if an I_T nexus caused it, else 0.
    pub has_nexus: c_int,
    /// That nexus.
    pub nexus: u64,
    /// AC_SAI of the association, else 0.
    pub ac_sai: u64,
    /// DS_SAI of the association, else 0.
    pub ds_sai: u64,
    /// What the kind says it is; else 0.
    pub count: u64,
    /// Bytes of the text, its NUL not counted: more than fit when it was cut off.
    pub text_length: usize,
}

const fn drop_reason(why: DropReason) -> DropReasonCode {
    match why {
        DropReason::ProtocolTimeout => DropReasonCode::ProtocolTimeout,
        DropReason::AuthenticationFailures => DropReasonCode::AuthenticationFailures,
        DropReason::Refused => DropReasonCode::Refused,
        DropReason::Delete => DropReasonCode::Delete,
        DropReason::NexusLoss => DropReasonCode::NexusLoss,
        DropReason::Reset => DropReasonCode::Reset,
        _ => DropReasonCode::Other,
    }
}

const fn removal_reason(why: RemovalReason) -> RemovalReasonCode {
    match why {
        RemovalReason::Delete => RemovalReasonCode::Delete,
        RemovalReason::Inactivity => RemovalReasonCode::Inactivity,
        RemovalReason::InitialContact => RemovalReasonCode::InitialContact,
        RemovalReason::Reset => RemovalReasonCode::Reset,
        RemovalReason::Administrator => RemovalReasonCode::Administrator,
        RemovalReason::SequenceNumbers => RemovalReasonCode::SequenceNumbers,
        _ => RemovalReasonCode::Other,
    }
}

impl EventData {
    fn of(event: &Event) -> Self {
        let mut data = Self { at: event.at.as_millis(), ..Self::default() };
        if let Some(NexusId(nexus)) = event.nexus {
            (data.has_nexus, data.nexus) = (1, nexus);
        }
        let mut about = |SaId { ac_sai, ds_sai }| (data.ac_sai, data.ds_sai) = (ac_sai.0, ds_sai.0);
        let kind = match &event.kind {
            EventKind::CapabilitiesRead => EventCode::CapabilitiesRead,
            EventKind::CapabilitiesChanged => EventCode::CapabilitiesChanged,
            EventKind::SequenceStarted { id } => {
                about(*id);
                EventCode::SequenceStarted
            }
            EventKind::SequenceDropped { why } => {
                data.reason = drop_reason(*why) as u32;
                EventCode::SequenceDropped
            }
            EventKind::SaCreated { id } => {
                about(*id);
                EventCode::SaCreated
            }
            EventKind::SaRemoved { id, why } => {
                about(*id);
                data.reason = removal_reason(*why) as u32;
                EventCode::SaRemoved
            }
            EventKind::AuthenticationFailed { method, .. } => {
                data.reason = u32::from(*method);
                EventCode::AuthenticationFailed
            }
            EventKind::Refused(_) => EventCode::Refused,
            EventKind::LimitReached { .. } => EventCode::LimitReached,
            EventKind::Lost { count } => {
                data.count = *count;
                EventCode::Lost
            }
            _ => EventCode::Other,
        };
        data.kind = kind as u32;
        data
    }
}

/// The next thing that happened, oldest first; NONE if there is none. `text`, which may be NULL with a size of 0, gets it as one
/// line that ends with NUL, cut off where it does not fit. No event has a secret in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_poll_event(
    server: *mut ServerHandle,
    event: *mut EventData,
    text: *mut c_char,
    text_size: usize,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("event", event) }?;
        // SAFETY: likewise.
        let buffer = unsafe { Buffer::new("text", text.cast(), text_size) }?;
        let event = unit.server.poll_event().ok_or_else(Failure::nothing)?;
        let line = event.to_string();
        let mut data = EventData::of(&event);
        data.text_length = line.len();
        let room = text_size.saturating_sub(1);
        // Text of C ends at a NUL; there is none in ours, for what initiators send is escaped.
        let mut kept: Vec<u8> = line.into_bytes().into_iter().take(room).collect();
        kept.push(0);
        buffer.put(&kept);
        out.set(data);
        Ok(())
    })
}
