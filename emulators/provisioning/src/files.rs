//! The files that a provisioning names, and the bytes in its texts.

use std::fs;
use std::path::{Path, PathBuf};

use ikev2_scsi::crypto::Secret;
use zeroize::Zeroizing;

use crate::error::{Error, Fault};

/// What begins a block of PEM (RFC 7468 3).
const BEGIN: &str = "-----BEGIN ";
/// Characters of a file's name; the shortest private key has more in base64.
const LONGEST_NAME: usize = 128;

/// Reads the files of one provisioning.
#[derive(Debug)]
pub(crate) struct Files {
    base: PathBuf,
}

/// One block of PEM: its label, and DER.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

impl Files {
    pub(crate) fn below(base: &Path) -> Self {
        Self { base: base.into() }
    }

    /// The whole file.
    pub(crate) fn read(&self, member: &str, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let path = self.base.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Zeroizing::new(bytes)),
            Err(error) => Err(Error::new(member, Fault::File { path, error })),
        }
    }

    /// A shared key: the file without the end of its one line.
    pub(crate) fn secret(&self, member: &str, name: &str) -> Result<Secret, Error> {
        let bytes = self.read(member, name)?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Ok(Secret::copy_of(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// What `source` says: PEM itself, or the name of a file with PEM or, where it is `label`'s, DER in it.
    pub(crate) fn blocks(&self, member: &str, source: &str, label: &str) -> Result<Vec<Block>, Error> {
        if source.contains(BEGIN) {
            return decode(member, source);
        }
        // Errors tell the file. What is longer than names are may be a key that was pasted without its first line.
        if source.len() > LONGEST_NAME || source.contains('\n') {
            return Err(Error::value(member, "is neither PEM nor a file's name"));
        }
        let bytes = self.read(member, source)?;
        match str::from_utf8(&bytes) {
            Ok(text) if text.contains(BEGIN) => decode(member, text),
            _ if bytes.first() == Some(&0x30) => Ok(vec![Block { label: label.into(), der: bytes }]),
            _ => Err(Error::value(member, format!("{source} is neither PEM nor DER"))),
        }
    }

    /// All blocks of one label, at least one. Others are passed over: a file may have a key and its certificates.
    pub(crate) fn all(&self, member: &str, source: &str, label: &str) -> Result<Vec<Block>, Error> {
        let mut blocks = self.blocks(member, source, label)?;
        blocks.retain(|block| block.label == label);
        if blocks.is_empty() { Err(Error::value(member, format!("there is no {label} in it"))) } else { Ok(blocks) }
    }
}

/// The blocks of a text. What stands between them is explanatory (RFC 7468 2).
fn decode(member: &str, text: &str) -> Result<Vec<Block>, Error> {
    let mut blocks = Vec::new();
    // Where the block that is being read begins, and where the line does.
    let (mut begun, mut at) = (None, 0_usize);
    for line in text.split_inclusive('\n') {
        if line.starts_with(BEGIN) {
            begun = Some(at);
        }
        at = at.saturating_add(line.len());
        if line.starts_with("-----END ") {
            let wrong = |error| Error::value(member, format!("block {} of PEM: {error}", blocks.len()));
            let block = text.get(begun.take().unwrap_or(at)..at).unwrap_or_default();
            let (label, der) = pem_rfc7468::decode_vec(block.trim_end().as_bytes()).map_err(wrong)?;
            blocks.push(Block { label: label.into(), der: Zeroizing::new(der) });
        }
    }
    if begun.is_some() {
        return Err(Error::value(member, "the last block of PEM has no end"));
    }
    Ok(blocks)
}

/// The bytes that hexadecimal digits stand for.
pub(crate) fn hex(member: &str, digits: &str) -> Result<Vec<u8>, Error> {
    let secret = Secret::from_hex(digits).map_err(|error| Error::value(member, error.to_string()))?;
    Ok(secret.expose().to_vec())
}
