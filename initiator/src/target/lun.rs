//! Logical unit numbers: eight bytes (SAM-4 4.6), the number that people call them by, and RFC 4173's groups.

use std::fmt;

use super::{TargetError, TargetErrorKind};

/// A logical unit number, as it stands in an iSCSI header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Lun(pub [u8; 8]);

/// Numbers that peripheral device addressing has (SAM-4 4.6.7).
const PERIPHERAL: u16 = 0x100;
/// ADDRESS METHOD of flat space addressing (SAM-4 4.6.8).
const FLAT: u16 = 0x4000;

impl Lun {
    /// The logical unit that people call by a number: peripheral device addressing below 256, flat space addressing below
    /// 16 384; `None` above, where two bytes do not reach.
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        let level = match number {
            0..PERIPHERAL => number,
            PERIPHERAL..FLAT => number | FLAT,
            _ => return None,
        };
        Some(Self::from_first_level(level))
    }

    const fn from_first_level(level: u16) -> Self {
        let [high, low] = level.to_be_bytes();
        Self([high, low, 0, 0, 0, 0, 0, 0])
    }

    /// The number that [`Lun::from_number`] makes this of, if there is one.
    #[must_use]
    pub fn number(self) -> Option<u16> {
        let level = self.first_level()?;
        let number = if level & FLAT == 0 { level } else { level ^ FLAT };
        Some(number).filter(|number| Self::from_number(*number) == Some(self))
    }

    /// The first two bytes, if the others are zero: there is one level of addressing.
    #[must_use]
    pub fn first_level(self) -> Option<u16> {
        let [high, low, rest @ ..] = self.0;
        (rest == [0; 6]).then_some(u16::from_be_bytes([high, low]))
    }

    /// Reads the LUN field of a root path: blank, or one to four groups of one to four hexadecimal digits.
    pub(super) fn from_groups(text: &str, at: usize) -> Result<Self, TargetError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut lun = Self::default();
        let mut levels = lun.0.chunks_exact_mut(2);
        let mut offset = at;
        for group in text.split('-') {
            let is_hex = group.bytes().all(|byte| byte.is_ascii_hexdigit());
            let value = u16::from_str_radix(group, 16).ok().filter(|_| is_hex && group.len() <= 4);
            match (value, levels.next()) {
                (Some(value), Some(level)) => {
                    level.iter_mut().zip(value.to_be_bytes()).for_each(|(to, from)| *to = from);
                }
                _ => return Err(TargetError::new(offset, TargetErrorKind::LunGroups)),
            }
            offset = offset.saturating_add(group.len()).saturating_add(1);
        }
        Ok(lun)
    }
}

impl fmt::Display for Lun {
    /// Four groups of four hexadecimal digits, as RFC 4173 has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i] = self.0;
        write!(f, "{a:02x}{b:02x}-{c:02x}{d:02x}-{e:02x}{g:02x}-{h:02x}{i:02x}")
    }
}
