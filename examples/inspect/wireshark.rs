//! The messages for Wireshark: its dissector of IKE knows the frame and most payloads, and decrypts.
//!
//! The folder that is written holds `messages.pcap`, each message in a UDP datagram of port 500, and twice
//! `ikev2_decryption_table`, which Wireshark reads out of its configuration folder. Twice, for Wireshark takes the side from
//! the flags: INTTR of T10's texts is not where RFC 4306 has Initiator, so that both directions look like a responder's to
//! it. The table in `in` has the keys in their places, the one in `out` SK_ei and SK_ai in the responder's places too.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use ikev2_scsi::algorithm::{
    self, AUTH_AES_XCBC_96, AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AUTH_HMAC_SHA2_512_256,
    AUTH_NONE, Algorithm, AlgorithmType, ENCR_AES_CBC, ENCR_AES_CCM_8, ENCR_AES_CCM_16, ENCR_AES_GCM_16, ENCR_NULL,
};
use ikev2_scsi::wire::{Cdb, Direction, protocol};

use super::hex;
use super::key_log::{Exchanges, KeyLog, Sais, Selected};
use super::step::Step;

/// Addresses where a capture has none of IPv4: those for documentation.
const DOCUMENTED: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
const PORT: u16 = 500;
const TABLE: &str = "ikev2_decryption_table";

/// The folder that is being written.
pub(crate) struct Export {
    folder: PathBuf,
    messages: BufWriter<File>,
    /// Messages that no datagram has room for.
    too_long: u64,
}

impl Export {
    pub(crate) fn create(folder: &Path) -> Result<Self, String> {
        create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let path = folder.join("messages.pcap");
        let file = File::create(&path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        let mut export = Self { folder: folder.into(), messages: BufWriter::new(file), too_long: 0 };
        // pcap 2.4, no snapshot limit to speak of, raw IP, with nanoseconds.
        let mut header = vec![0xA1, 0xB2, 0x3C, 0x4D, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0];
        header.extend([0, 4, 0, 0, 0, 0, 0, 101]);
        export.write(&header)?;
        Ok(export)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let folder = &self.folder;
        self.messages.write_all(bytes).map_err(|error| format!("cannot write into {}: {error}", folder.display()))
    }

    /// Adds the message of a command, if it has one.
    pub(crate) fn add(&mut self, step: &Step) -> Result<(), String> {
        let Some(cdb) = Cdb::parse(&step.cdb).ok().filter(|cdb| cdb.protocol == protocol::IKEV2_SCSI) else {
            return Ok(());
        };
        let data = step.data();
        if data.is_empty() {
            return Ok(());
        }
        let length = |headers: usize| u16::try_from(data.len().saturating_add(headers)).ok();
        let (Some(datagram), Some(packet)) = (length(8), length(28)) else {
            self.too_long = self.too_long.saturating_add(1);
            return Ok(());
        };
        let ends = match step.ends.map(|(initiator, target)| (initiator.ip(), target.ip())) {
            Some((IpAddr::V4(initiator), IpAddr::V4(target))) => (initiator, target),
            _ => DOCUMENTED,
        };
        let (from, to) = if cdb.direction == Direction::Out { ends } else { (ends.1, ends.0) };
        let mut ip = vec![0x45, 0];
        ip.extend(packet.to_be_bytes());
        // Not fragmented, 64 hops, UDP, and a checksum that comes last.
        ip.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
        ip.extend(from.octets());
        ip.extend(to.octets());
        let checksum = checksum(&ip);
        ip.splice(10..12, checksum.to_be_bytes());
        for word in [PORT, PORT, datagram, 0] {
            ip.extend(word.to_be_bytes());
        }
        let seconds = u32::try_from(step.time / 1_000_000_000).unwrap_or_default();
        let nanoseconds = u32::try_from(step.time % 1_000_000_000).unwrap_or_default();
        let record = [seconds, nanoseconds, u32::from(packet), u32::from(packet)];
        self.write(&record.map(u32::to_be_bytes).concat())?;
        self.write(&ip)?;
        self.write(data)
    }

    /// Writes the tables, and tells what Wireshark cannot do.
    pub(crate) fn finish(mut self, exchanges: &Exchanges<'_>, log: &KeyLog) -> Result<Vec<String>, String> {
        self.messages.flush().map_err(|error| error.to_string())?;
        let mut remarks = Vec::new();
        if self.too_long > 0 {
            remarks.push(format!("{} messages are too long for a datagram", self.too_long));
        }
        let (mut incoming, mut outgoing) = (String::new(), String::new());
        for (sais, selected) in exchanges.known() {
            match row(sais, &selected, log, ["SK_er", "SK_ar"]).zip(row(sais, &selected, log, ["SK_ei", "SK_ai"])) {
                Some((both, client)) => {
                    incoming.push_str(&both);
                    outgoing.push_str(&client);
                }
                None if log.key(sais, "SK_ei").is_some() => {
                    let (ac_sai, ds_sai) = sais;
                    remarks.push(format!("Wireshark has no name for the algorithms of {ac_sai:016x} {ds_sai:016x}"));
                }
                None => {}
            }
        }
        for (name, table) in [("in", incoming), ("out", outgoing)] {
            let folder = self.folder.join(name);
            let write = create_dir_all(&folder).and_then(|()| secretly(&folder.join(TABLE), table.as_bytes()));
            write.map_err(|error| format!("cannot write into {}: {error}", folder.display()))?;
        }
        Ok(remarks)
    }
}

/// Writes a file that, as far as that can be said, only its owner reads.
fn secretly(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // One that is there already may have been everybody's.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(bytes)
}

/// One row of the table, with these keys in the responder's places.
fn row(sais: Sais, selected: &Selected, log: &KeyLog, responder: [&str; 2]) -> Option<String> {
    let number = |kind: AlgorithmType, identifier| {
        algorithm::numbered(selected.profile, kind.code(), identifier).map(|number| number.row.identifier)
    };
    let (ciphers, checks) = (ciphers(selected.key_length.checked_mul(8)?), checks());
    let cipher = number(AlgorithmType::Encryption, selected.encryption)?;
    let (_, cipher) = ciphers.iter().find(|(known, _)| known.identifier == cipher)?;
    let integrity = number(AlgorithmType::Integrity, selected.integrity)?;
    let (_, integrity) = checks.iter().find(|(known, _)| known.identifier == integrity)?;
    let key = |name: &str| hex::encode(log.key(sais, name).unwrap_or_default());
    log.key(sais, "SK_ei").and(log.key(sais, "SK_er"))?;
    let mut row = String::new();
    let [cipher_key, integrity_key] = responder;
    let (initiator, responder) = ((key("SK_ei"), key("SK_ai")), (key(cipher_key), key(integrity_key)));
    let (ac_sai, ds_sai) = sais;
    writeln!(
        row,
        "{ac_sai:016x},{ds_sai:016x},{},{},\"{cipher}\",{},{},\"{integrity}\"",
        initiator.0, responder.0, initiator.1, responder.1
    )
    .ok()?;
    Some(row)
}

/// Encryption algorithms by Wireshark's names.
fn ciphers(bits: u16) -> [(Algorithm, String); 5] {
    [
        (ENCR_NULL, "NULL [RFC2410]".into()),
        (ENCR_AES_CBC, format!("AES-CBC-{bits} [RFC3602]")),
        (ENCR_AES_CCM_8, format!("AES-CCM-{bits} with 8 octet ICV [RFC5282]")),
        (ENCR_AES_CCM_16, format!("AES-CCM-{bits} with 16 octet ICV [RFC5282]")),
        (ENCR_AES_GCM_16, format!("AES-GCM-{bits} with 16 octet ICV [RFC5282]")),
    ]
}

/// Integrity algorithms by Wireshark's names. The last one it does not check.
const fn checks() -> [(Algorithm, &'static str); 6] {
    [
        (AUTH_NONE, "NONE [RFC4306]"),
        (AUTH_HMAC_SHA1_96, "HMAC_SHA1_96 [RFC2404]"),
        (AUTH_HMAC_SHA2_256_128, "HMAC_SHA2_256_128 [RFC4868]"),
        (AUTH_HMAC_SHA2_384_192, "HMAC_SHA2_384_192 [RFC4868]"),
        (AUTH_HMAC_SHA2_512_256, "HMAC_SHA2_512_256 [RFC4868]"),
        (AUTH_AES_XCBC_96, "ANY 96-bits of Authentication [No Checking]"),
    ]
}

/// The checksum of an IP header.
fn checksum(header: &[u8]) -> u16 {
    let (words, _) = header.as_chunks();
    let sum = words.iter().fold(0_u32, |sum, word| sum.wrapping_add(u16::from_be_bytes(*word).into()));
    let folded = (sum & 0xFFFF).wrapping_add(sum >> 16);
    let folded = (folded & 0xFFFF).wrapping_add(folded >> 16);
    !u16::try_from(folded & 0xFFFF).unwrap_or_default()
}
