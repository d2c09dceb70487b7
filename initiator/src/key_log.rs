//! A key log: the secrets of exchanges in lines of text, for dissectors.
//!
//! **Whoever has this file reads and forges everything that the associations protect.** It is written only where it is asked
//! for, for its owner alone, and is meant for one's own captures. Each line is
//!
//! ```text
//! NAME AC_SAI DS_SAI VALUE
//! ```
//!
//! with the names of [`KeyLog`], both SAIs as sixteen hexadecimal digits, and the value in hexadecimal digits; lines that
//! begin with `#` say nothing.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::wire::Sai;
use zeroize::Zeroizing;

use crate::saved::push_hex;

/// A file that is appended to.
#[derive(Debug)]
pub struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens a file, or makes one for its owner alone.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        // One that is there already may have been everybody's.
        file.set_permissions(Permissions::from_mode(0o600))?;
        if file.metadata()?.len() == 0 {
            writeln!(file, "# Keys of IKEv2-SCSI exchanges: whoever reads this reads and forges what they protect.")?;
        }
        Ok(Self(Mutex::new(file)))
    }
}

impl KeyLog for KeyLogFile {
    fn record(&self, ac_sai: Sai, ds_sai: Sai, name: &'static str, value: &[u8]) {
        let digits = value.len().saturating_mul(2);
        let mut line = Zeroizing::new(String::with_capacity(digits.saturating_add(name.len()).saturating_add(64)));
        for part in [name, " ", &ac_sai.to_string(), " ", &ds_sai.to_string(), " "] {
            line.push_str(part);
        }
        push_hex(&mut line, value);
        line.push('\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The exchange does not fail because nobody can look into it.
        let _ = file.write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn lines_are_appended_for_the_owner_alone() {
        let path = std::env::temp_dir().join(format!("ikev2-scsi-key-log-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        for value in [&[0xAB, 0x01][..], &[]] {
            KeyLogFile::open(&path).unwrap().record(Sai(0x1F), Sai(0x2E), "SK_ei", value);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        std::fs::remove_file(&path).unwrap();
        let lines: Vec<_> = text.lines().skip(1).collect();
        let sais = "000000000000001f 000000000000002e";
        assert_eq!(lines, [format!("SK_ei {sais} ab01"), format!("SK_ei {sais} ")]);
        assert_eq!((mode, text.starts_with("# Keys")), (0o600, true));
    }
}
