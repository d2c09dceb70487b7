//! Recorded exchanges of `vectors/transcripts/`, as `build.rs` writes them, and their random values.

use ikev2_scsi::crypto::{Purpose, Random, RandomError};

/// A recorded exchange: members of two bytes' length, read one after another.
#[derive(Debug, Clone, Copy)]
pub struct Recording(&'static [u8]);

macro_rules! recordings {
    ($($(#[$what:meta])* $name:ident = $file:literal;)*) => {$(
        $(#[$what])*
        pub const $name: Recording = {
            // SAFETY: the section holds such bytes only, which do not count as flash.
            #[unsafe(link_section = ".recordings")]
            static BYTES: [u8; include_bytes!(concat!(env!("OUT_DIR"), "/", $file)).len()] =
                *include_bytes!(concat!(env!("OUT_DIR"), "/", $file));
            Recording(&BYTES)
        };
    )*};
}

recordings! {
    /// ENCR_NULL with shared keys, and a Delete.
    NULL = "r3-null-sha1-modp2048-psk";
    /// The mandatory suite of r3 with shared keys.
    MANDATORY = "r3-mandatory";
    /// P-256, AES-GCM, ECDSA with keys known beforehand.
    ECDSA = "r3-gcm-128-sha256-ecp256-ecdsa256";
    /// RSA with certificates.
    CERTIFICATES = "r3-rsa-chain-certreq";
    /// SPC-4: RSA with certificates.
    SPC4_RSA = "spc4-table82-row1";
    /// SPC-4: P-521, ECDSA.
    SPC4_ECDSA = "spc4-table82-row2";
}

/// A recorded command and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The CDB.
    pub cdb: &'static [u8],
    /// Data-Out.
    pub data_out: &'static [u8],
    /// Data-In.
    pub data_in: &'static [u8],
    /// Status, then sense data in fixed format.
    pub status: &'static [u8],
}

/// A side of the recorded exchange.
#[derive(Debug, Clone, Copy)]
pub struct Side {
    /// ID TYPE, then IDENTIFICATION DATA.
    pub identity: &'static [u8],
    /// The shared key with which it authenticates itself.
    pub key: &'static [u8],
}

/// What a device server of the recorded exchange is made of.
#[derive(Debug, Clone, Copy)]
pub struct Provisioning {
    /// The device server.
    pub server: Side,
    /// The application client.
    pub client: Side,
    /// The descriptors that it reports.
    pub capabilities: &'static [u8],
    /// Its random values.
    pub draws: Draws,
    /// Its signing key, PKCS#8.
    pub private_key: &'static [u8],
    /// The client's public key, SubjectPublicKeyInfo.
    pub client_key: &'static [u8],
    /// Its certificates.
    pub certificates: [&'static [u8]; 2],
    /// Whom it trusts.
    pub anchor: &'static [u8],
    /// The calendar's time in seconds.
    pub unix_time: &'static [u8],
}

impl Recording {
    // SAFETY: the section is for code.
    #[cfg_attr(firmware, unsafe(link_section = ".harness"))]
    #[inline(never)]
    fn next(&mut self) -> &'static [u8] {
        let (member, rest) = match self.0.split_first_chunk() {
            Some((length, rest)) => rest.split_at_checked(u16::from_be_bytes(*length).into()).unwrap_or_default(),
            None => Default::default(),
        };
        self.0 = rest;
        member
    }

    fn side(&mut self) -> Side {
        Side { identity: self.next(), key: self.next() }
    }

    /// What stands before the commands.
    #[must_use]
    pub fn provisioning(mut self) -> Provisioning {
        self.take_provisioning()
    }

    // SAFETY: the section is for code.
    #[cfg_attr(firmware, unsafe(link_section = ".harness"))]
    #[inline(never)]
    fn take_provisioning(&mut self) -> Provisioning {
        Provisioning {
            server: self.side(),
            client: self.side(),
            capabilities: self.next(),
            draws: Draws {
                ds_sai: self.next(),
                dh_private: self.next(),
                nonce: self.next(),
                iv: self.next(),
                change: 0,
            },
            private_key: self.next(),
            client_key: self.next(),
            certificates: [self.next(), self.next()],
            anchor: self.next(),
            unix_time: self.next(),
        }
    }

    /// The commands.
    #[must_use]
    pub fn steps(mut self) -> Steps {
        self.take_provisioning();
        Steps(self)
    }

    fn step(&mut self) -> Option<Step> {
        let step = Step { cdb: self.next(), data_out: self.next(), data_in: self.next(), status: self.next() };
        (!step.cdb.is_empty()).then_some(step)
    }
}

/// The commands of a recording.
#[derive(Debug, Clone)]
pub struct Steps(Recording);

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        self.0.step()
    }
}

/// The recorded random values.
#[derive(Debug, Clone, Copy)]
pub struct Draws {
    ds_sai: &'static [u8],
    dh_private: &'static [u8],
    nonce: &'static [u8],
    iv: &'static [u8],
    /// Changes the last byte of the SAI, so that several associations have theirs.
    pub change: u8,
}

impl Random for Draws {
    // SAFETY: the section is for code.
    #[cfg_attr(firmware, unsafe(link_section = ".harness"))]
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        let (value, change) = match purpose {
            Purpose::DsSai => (self.ds_sai, self.change),
            Purpose::DhPrivate => (self.dh_private, 0),
            Purpose::Nonce => (self.nonce, 0),
            _ => (self.iv, 0),
        };
        if value.len() != out.len() {
            return Err(RandomError);
        }
        out.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        if let Some(last) = out.last_mut() {
            *last ^= change;
        }
        Ok(())
    }

    fn dh_private_length(&self, _: usize) -> usize {
        self.dh_private.len()
    }
}
