//! Root paths of iSCSI boot (RFC 4173 5): `iscsi:<server>:<protocol>:<port>:<LUN>:<targetname>`.
//!
//! The target name is the one field that may not be blank, and the one that has colons of its own; an IPv6 address has them
//! in brackets. Without a server name RFC 4173 goes on to a discovery service, which is refused here.

use super::{ISCSI_PORT, IscsiTarget, Lun, TargetError, TargetErrorKind, name, port, server};

/// The protocol number of TCP, which is the default and the only one approved.
const TCP: &str = "6";

/// Splits `text` at its first colon, or tells what is missing.
fn field<'a>(text: &'a str, at: &mut usize) -> Result<(&'a str, &'a str, usize), TargetError> {
    let begins = *at;
    let in_brackets = match (text.starts_with('['), text.find(']')) {
        (true, None) => return Err(TargetError::new(begins, TargetErrorKind::Server)),
        (true, Some(end)) => end,
        (false, _) => 0,
    };
    let colon = text.get(in_brackets..).and_then(|rest| rest.find(':')).map(|colon| colon.saturating_add(in_brackets));
    let parts = colon.and_then(|colon| Some((text.get(..colon)?, text.get(colon.saturating_add(1)..)?)));
    let end = begins.saturating_add(text.len());
    let (first, rest) = parts.ok_or(TargetError::new(end, TargetErrorKind::MissingField))?;
    *at = begins.saturating_add(first.len()).saturating_add(1);
    Ok((first, rest, begins))
}

/// Reads what comes after `iscsi:`; `at` is its offset.
pub(super) fn parse(text: &str, mut at: usize) -> Result<IscsiTarget, TargetError> {
    let (server_field, rest, server_at) = field(text, &mut at)?;
    let (protocol, rest, protocol_at) = field(rest, &mut at)?;
    let (port_field, rest, port_at) = field(rest, &mut at)?;
    let (lun, name_field, lun_at) = field(rest, &mut at)?;
    if !matches!(protocol, "" | TCP) {
        return Err(TargetError::new(protocol_at, TargetErrorKind::Protocol));
    }
    let port = if port_field.is_empty() { ISCSI_PORT } else { port(port_field, port_at)? };
    let lun = Lun::from_groups(lun, lun_at)?;
    let name = name(name_field, at)?;
    if server_field.is_empty() {
        return Err(TargetError::new(server_at, TargetErrorKind::Discovery));
    }
    let host = server(server_field, server_at)?;
    Ok(IscsiTarget { host, port, name, lun, chap: None, target_chap: None, header_digest: false })
}
