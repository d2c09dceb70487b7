//! From a link layer's bytes to a TCP segment.

use std::net::{IpAddr, SocketAddr};

use super::bytes::{array, u8_at, u16_at, u32_at};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;
/// 802.1Q, 802.1ad, and what came before that.
const VLAN: [u16; 3] = [0x8100, 0x88A8, 0x9100];
/// More tags or extension headers than these are nobody's.
const NESTED: usize = 8;
const TCP: u8 = 6;

/// A TCP segment.
pub(crate) struct Segment<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) sequence: u32,
    pub(crate) acknowledged: Option<u32>,
    pub(crate) is_first: bool,
    pub(crate) is_reset: bool,
    pub(crate) data: &'a [u8],
}

/// Why a packet is passed over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Passed {
    /// It is something else.
    NotTcp,
    /// It ends within its headers.
    Cut,
    /// It is a part of an IP packet.
    Fragment,
    /// This link layer is not known here.
    Link(u16),
}

/// The segment in a packet of this LINKTYPE.
pub(crate) fn segment(link: u16, data: &[u8]) -> Result<Segment<'_>, Passed> {
    let (kind, rest) = match link {
        // BSD's loopback: the address family in somebody's byte order, or in that of the network.
        0 | 108 => (None, data.get(4..).ok_or(Passed::Cut)?),
        1 => ethernet(data)?,
        // Raw IP, by three old numbers as well.
        12 | 14 | 101 | 228 | 229 => (None, data),
        // Linux's "cooked" capture, and its second version.
        113 => (Some(u16_at(data, 14).ok_or(Passed::Cut)?), data.get(16..).ok_or(Passed::Cut)?),
        276 => (Some(u16_at(data, 0).ok_or(Passed::Cut)?), data.get(20..).ok_or(Passed::Cut)?),
        other => return Err(Passed::Link(other)),
    };
    let (kind, rest) = match kind {
        Some(kind) => untagged(kind, rest)?,
        None => match u8_at(rest, 0).ok_or(Passed::Cut)? >> 4 {
            4 => (IPV4, rest),
            6 => (IPV6, rest),
            _ => return Err(Passed::NotTcp),
        },
    };
    match kind {
        IPV4 => ipv4(rest),
        IPV6 => ipv6(rest),
        _ => Err(Passed::NotTcp),
    }
}

fn ethernet(data: &[u8]) -> Result<(Option<u16>, &[u8]), Passed> {
    Ok((Some(u16_at(data, 12).ok_or(Passed::Cut)?), data.get(14..).ok_or(Passed::Cut)?))
}

fn untagged(mut kind: u16, mut data: &[u8]) -> Result<(u16, &[u8]), Passed> {
    for _ in 0..NESTED {
        if !VLAN.contains(&kind) {
            break;
        }
        kind = u16_at(data, 2).ok_or(Passed::Cut)?;
        data = data.get(4..).ok_or(Passed::Cut)?;
    }
    Ok((kind, data))
}

fn ipv4(data: &[u8]) -> Result<Segment<'_>, Passed> {
    let header = usize::from(u8_at(data, 0).ok_or(Passed::Cut)? & 0x0F).saturating_mul(4).max(20);
    let total = usize::from(u16_at(data, 2).ok_or(Passed::Cut)?);
    // MF, or an offset.
    if u16_at(data, 6).ok_or(Passed::Cut)? & 0x3FFF != 0 {
        return Err(Passed::Fragment);
    }
    if u8_at(data, 9) != Some(TCP) {
        return Err(Passed::NotTcp);
    }
    let from = IpAddr::from(array::<4>(data, 12).ok_or(Passed::Cut)?);
    let to = IpAddr::from(array::<4>(data, 16).ok_or(Passed::Cut)?);
    // Zero where the network card is to cut the packet; what is behind the packet is padding of the link.
    let end = if total == 0 { data.len() } else { total.min(data.len()) };
    tcp(from, to, data.get(header..end).ok_or(Passed::Cut)?)
}

fn ipv6(data: &[u8]) -> Result<Segment<'_>, Passed> {
    let length = usize::from(u16_at(data, 4).ok_or(Passed::Cut)?);
    let mut next = u8_at(data, 6).ok_or(Passed::Cut)?;
    let from = IpAddr::from(array::<16>(data, 8).ok_or(Passed::Cut)?);
    let to = IpAddr::from(array::<16>(data, 24).ok_or(Passed::Cut)?);
    let end = if length == 0 { data.len() } else { length.saturating_add(40).min(data.len()) };
    let mut rest = data.get(40..end).ok_or(Passed::Cut)?;
    for _ in 0..NESTED {
        let length = match next {
            TCP => return tcp(from, to, rest),
            // Hop by hop, routing, destination.
            0 | 43 | 60 => usize::from(u8_at(rest, 1).ok_or(Passed::Cut)?).saturating_add(1).saturating_mul(8),
            44 if u16_at(rest, 2).ok_or(Passed::Cut)? & 0xFFF9 != 0 => return Err(Passed::Fragment),
            44 => 8,
            _ => return Err(Passed::NotTcp),
        };
        next = u8_at(rest, 0).ok_or(Passed::Cut)?;
        rest = rest.get(length..).ok_or(Passed::Cut)?;
    }
    Err(Passed::NotTcp)
}

fn tcp(from: IpAddr, to: IpAddr, data: &[u8]) -> Result<Segment<'_>, Passed> {
    let port = |at| u16_at(data, at).ok_or(Passed::Cut);
    let (offset, flags) = (u8_at(data, 12).ok_or(Passed::Cut)?, u8_at(data, 13).ok_or(Passed::Cut)?);
    let header = usize::from(offset >> 4).saturating_mul(4).max(20);
    Ok(Segment {
        from: SocketAddr::new(from, port(0)?),
        to: SocketAddr::new(to, port(2)?),
        sequence: u32_at(data, 4).ok_or(Passed::Cut)?,
        acknowledged: u32_at(data, 8).filter(|_| flags & 0x10 != 0),
        is_first: flags & 0x02 != 0,
        is_reset: flags & 0x04 != 0,
        data: data.get(header..).ok_or(Passed::Cut)?,
    })
}
