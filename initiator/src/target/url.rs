//! URLs as libiscsi has them: `iscsi://[<user>%<password>@]<host>[:<port>]/<target name>/<LUN>[?<argument>[&<argument>]]`.
//!
//! The target name may have escapes (`%3A`). A user and a password have none, since `%` divides them; the password ends with
//! the last `@` before the host.

use ikev2_scsi::crypto::Secret;

use super::{Chap, ISCSI_PORT, IscsiTarget, LONGEST_STRING, Lun, TargetError, TargetErrorKind, name, port, server};

/// Reads what comes after `iscsi://`; `at` is its offset.
pub(super) fn parse(text: &str, at: usize) -> Result<IscsiTarget, TargetError> {
    let (text, arguments) = text.split_once('?').map_or((text, None), |(text, rest)| (text, Some(rest)));
    let end = at.saturating_add(text.len());
    let (authority, path) = text.split_once('/').ok_or(TargetError::new(end, TargetErrorKind::NoName))?;
    let path_at = at.saturating_add(authority.len()).saturating_add(1);
    let (user_info, host_port) = match authority.rsplit_once('@') {
        Some((user_info, host_port)) => (Some(user_info), host_port),
        None => (None, authority),
    };
    let host_at = path_at.saturating_sub(1).saturating_sub(host_port.len());
    let (host, port) = host_and_port(host_port, host_at)?;
    let (escaped, lun) = path.rsplit_once('/').ok_or(TargetError::new(end, TargetErrorKind::NoLun))?;
    let name = name(&unescape(escaped, path_at)?, path_at)?;
    let lun = number(lun, end.saturating_sub(lun.len()))?;
    let chap = user_info.map(|info| chap(info, at)).transpose()?;
    let mut target = IscsiTarget { host, port, name, lun, chap, target_chap: None, header_digest: false };
    if let Some(arguments) = arguments {
        read_arguments(arguments, end.saturating_add(1), &mut target)?;
    }
    Ok(target)
}

fn host_and_port(text: &str, at: usize) -> Result<(String, u16), TargetError> {
    let in_brackets = if text.starts_with('[') { text.find(']').unwrap_or(0) } else { 0 };
    let colon = text.get(in_brackets..).and_then(|rest| rest.find(':')).map(|colon| colon.saturating_add(in_brackets));
    let Some((host, digits)) = colon.and_then(|colon| Some((text.get(..colon)?, text.get(colon.saturating_add(1)..)?)))
    else {
        return Ok((server(text, at)?, ISCSI_PORT));
    };
    let port_at = at.saturating_add(host.len()).saturating_add(1);
    Ok((server(host, at)?, port(digits, port_at)?))
}

fn chap(text: &str, at: usize) -> Result<Chap, TargetError> {
    let (user, password) =
        text.split_once('%').ok_or(TargetError::new(at.saturating_add(text.len()), TargetErrorKind::HalfOfChap))?;
    if user.is_empty() {
        return Err(TargetError::new(at, TargetErrorKind::NoUser));
    }
    let password_at = at.saturating_add(user.len()).saturating_add(1);
    let all = [(user, at), (password, password_at)];
    if let Some((_, at)) = all.into_iter().find(|(part, _)| part.len() > LONGEST_STRING) {
        return Err(TargetError::new(at.saturating_add(LONGEST_STRING), TargetErrorKind::TooLong));
    }
    Ok(Chap { user: user.to_owned(), password: Secret::copy_of(password.as_bytes()) })
}

fn number(text: &str, at: usize) -> Result<Lun, TargetError> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_decimal).and_then(Lun::from_number);
    number.ok_or(TargetError::new(at, if text.is_empty() { TargetErrorKind::NoLun } else { TargetErrorKind::Lun }))
}

/// Puts bytes in the place of escapes.
fn unescape(text: &str, at: usize) -> Result<String, TargetError> {
    let wrong = |offset: usize| TargetError::new(at.saturating_add(offset), TargetErrorKind::Escape);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes().enumerate();
    while let Some((offset, byte)) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|(_, byte)| char::from(byte).to_digit(16));
        let (high, low) = digit().zip(digit()).ok_or(wrong(offset))?;
        bytes.push(u8::try_from(high.wrapping_mul(16) | low).map_err(|_| wrong(offset))?);
    }
    String::from_utf8(bytes).map_err(|error| wrong(error.utf8_error().valid_up_to()))
}

fn read_arguments(text: &str, mut at: usize, target: &mut IscsiTarget) -> Result<(), TargetError> {
    let (mut user, mut password) = (None, None);
    let begins = at;
    for argument in text.split('&') {
        match argument.split_once('=') {
            Some(("target_user", value)) if !value.is_empty() => user = Some(value),
            Some(("target_password", value)) => password = Some(value),
            Some(("header_digest", "crc32c")) => target.header_digest = true,
            Some(("header_digest", "none")) => target.header_digest = false,
            _ if argument == "iser" => return Err(TargetError::new(at, TargetErrorKind::Iser)),
            _ => return Err(TargetError::new(at, TargetErrorKind::Argument)),
        }
        at = at.saturating_add(argument.len()).saturating_add(1);
    }
    target.target_chap = match (user, password) {
        (None, None) => None,
        (Some(user), Some(password)) => {
            Some(Chap { user: user.to_owned(), password: Secret::copy_of(password.as_bytes()) })
        }
        _ => return Err(TargetError::new(begins, TargetErrorKind::HalfOfChap)),
    };
    if target.target_chap.is_some() && target.chap.is_none() {
        return Err(TargetError::new(begins, TargetErrorKind::OneWayChap));
    }
    Ok(())
}
