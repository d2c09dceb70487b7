//! The bare cryptography that an exchange needs of a device server: what the protocol asks for, called directly with the messages'
//! own lengths, and nothing else.

use std::hint::black_box;
use std::sync::Arc;

use ikev2_scsi::Profile;
use ikev2_scsi::algorithm::INTEG_NONE;
use ikev2_scsi::crypto::{Cipher, CryptoProvider, DhGroup, Integrity, Prf, Signer, Verifier};

use crate::demonstration::Demonstration;
use crate::exchange::{CLIENT_KEY, Exchange, SERVER_KEY, Verified, client_identity, server_identity};

/// Bytes before the IV of an Encrypted payload: the header and the payload's own.
pub(crate) const BEFORE_IV: usize = 32;
/// As long as the protocol's.
pub(crate) const KEY_PAD: &[u8] = b"Key Pad for IKEv2-SCSI";

/// A sealed message to be opened or made: lengths of its parts.
pub(crate) struct Sealed {
    pub(crate) message: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    pub(crate) text: Vec<u8>,
    pub(crate) icv: Vec<u8>,
}

/// Lengths and contents of what is calculated with.
pub(crate) struct Needs {
    pub(crate) nonces: (Vec<u8>, Vec<u8>),
    pub(crate) peer: Vec<u8>,
    pub(crate) private: Vec<u8>,
    /// What each side's AUTH covers: capabilities, key exchange message.
    pub(crate) client_octets: Vec<u8>,
    pub(crate) server_octets: Vec<u8>,
    pub(crate) client_identity: Vec<u8>,
    pub(crate) server_identity: Vec<u8>,
}

/// Reads the nonce and the public value of a key exchange message.
fn nonce_and_public(profile: Profile, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use ikev2_scsi::dialect::PayloadType;
    use ikev2_scsi::wire::{Chain, Header, KeyExchange, find};
    let header = Header::parse(profile, message).unwrap();
    let chain = Chain::outer(profile, message, &header);
    let public = find(&chain, PayloadType::KeyExchange).unwrap().body::<KeyExchange<'_>>(profile).unwrap().public;
    (find(&chain, PayloadType::Nonce).unwrap().data.to_vec(), public.to_vec())
}

impl Needs {
    pub(crate) fn of(exchange: &Exchange, private_length: usize) -> Self {
        let profile = exchange.suite.profile;
        let is_spc4 = profile == Profile::SPC4;
        let (capabilities, out, ke_in) =
            (&exchange.steps[0].data_in, &exchange.steps[1].data_out, &exchange.steps[2].data_in);
        let (ac_nonce, peer) = nonce_and_public(profile, out);
        let (ds_nonce, _) = nonce_and_public(profile, ke_in);
        let signed = if is_spc4 { &capabilities[..] } else { &capabilities[4..] };
        // A private value below every group's order; that of P-521 begins with seven zero bits.
        let mut private = vec![0x7A; private_length];
        if private_length == 66 {
            private[0] = 0;
        }
        Self {
            client_octets: [if is_spc4 { signed } else { &[] }, out].concat(),
            server_octets: [signed, ke_in].concat(),
            nonces: (ac_nonce, ds_nonce),
            peer,
            private,
            client_identity: client_identity().to_payload_data().unwrap(),
            server_identity: server_identity().to_payload_data().unwrap(),
        }
    }

    pub(crate) fn seed(&self, profile: Profile) -> Vec<u8> {
        let sais = if profile == Profile::SPC4 { 8 } else { 16 };
        [&self.nonces.0[..], &self.nonces.1, &vec![0x5A; sais]].concat()
    }
}

/// The algorithms of a suite with one provider.
struct Algorithms {
    group: &'static dyn DhGroup,
    prf: &'static dyn Prf,
    cipher: &'static dyn Cipher,
    integrity: Option<&'static dyn Integrity>,
    key_length: u16,
}

impl Algorithms {
    fn of(provider: &CryptoProvider, exchange: &Exchange) -> Self {
        let ids = exchange.suite.identifiers();
        Self {
            group: provider.group(ids.group).unwrap(),
            prf: provider.prf(ids.pseudo_random).unwrap(),
            cipher: provider.cipher(ids.encryption, ids.key_length).unwrap(),
            integrity: (ids.integrity != INTEG_NONE).then(|| provider.integrity(ids.integrity).unwrap()),
            key_length: ids.key_length,
        }
    }

    fn icv_length(&self) -> usize {
        self.integrity.map_or(self.cipher.icv_length(), Integrity::icv_length)
    }

    /// Key of the cipher, key of the integrity algorithm.
    fn keys(&self) -> (Vec<u8>, Vec<u8>) {
        let cipher = (0..self.cipher.key_material_length(self.key_length)).map(|i| i as u8).collect();
        (cipher, vec![0x0B; self.integrity.map_or(0, Integrity::key_length)])
    }

    fn sealed(&self, message: &[u8]) -> Sealed {
        let (iv, icv) = (self.cipher.iv_length(), self.icv_length());
        let text = message.len() - BEFORE_IV - iv - icv;
        let mut sealed = Sealed {
            message: message[..BEFORE_IV].to_vec(),
            iv: vec![0x33; iv],
            text: vec![0x44; text],
            icv: vec![0; icv],
        };
        self.seal(&mut sealed);
        sealed
    }

    fn seal(&self, sealed: &mut Sealed) {
        let (key, integrity_key) = self.keys();
        let Sealed { message, iv, text, icv } = sealed;
        match self.integrity {
            None => self.cipher.seal(&key, iv, message, text, icv).unwrap(),
            Some(integrity) => {
                self.cipher.seal(&key, iv, &[], text, &mut []).unwrap();
                integrity.compute(&integrity_key, &[message, iv, text], icv).unwrap();
            }
        }
    }

    fn open(&self, sealed: &Sealed, text: &mut Vec<u8>, (key, integrity_key): (&[u8], &[u8])) {
        text.clear();
        text.extend_from_slice(&sealed.text);
        let Sealed { message, iv, icv, .. } = sealed;
        match self.integrity {
            None => self.cipher.open(key, iv, message, text, icv).unwrap(),
            Some(integrity) => {
                integrity.verify(integrity_key, &[message, iv, text], icv).unwrap();
                self.cipher.open(key, iv, &[], text, &[]).unwrap();
            }
        }
    }
}

/// How the device server proves itself.
enum OwnProof {
    SharedKey,
    Signature(Arc<dyn Signer>),
    None,
}

/// The private key of one side in the demonstration, PKCS#8.
pub(crate) fn private_key(exchange: &Exchange, method: u32) -> Option<(&'static str, Vec<u8>)> {
    use ikev2_scsi::algorithm::{IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_384, IKE_AUTH_ECDSA_521, IKE_AUTH_RSA};
    let kind = match method {
        IKE_AUTH_RSA => "rsa",
        IKE_AUTH_ECDSA_256 => "p256",
        IKE_AUTH_ECDSA_384 => "p384",
        IKE_AUTH_ECDSA_521 => "p521",
        _ => return None,
    };
    let demonstration = Demonstration::of(exchange.suite).unwrap();
    let pem = demonstration.server["keys"][kind].as_str().unwrap();
    Some((kind, pem_rfc7468::decode_vec(pem.as_bytes()).unwrap().1))
}

fn own_proof(exchange: &Exchange) -> OwnProof {
    if exchange.suite.is_unauthenticated() {
        return OwnProof::None;
    }
    let signers = exchange.provider.signers();
    match private_key(exchange, exchange.suite.authentication) {
        Some(("rsa", der)) => OwnProof::Signature((signers.rsa)(&der, ikev2_scsi::crypto::HashKind::Sha1).unwrap()),
        Some((_, der)) => OwnProof::Signature((signers.ecdsa)(&der).unwrap()),
        None => OwnProof::SharedKey,
    }
}

/// The key of SKEYSEED (RFC 4306 2.14).
fn skeyseed_key(prf: &dyn Prf, needs: &Needs) -> Vec<u8> {
    let part = |nonce: &[u8]| nonce[..prf.nonce_share().unwrap_or(nonce.len())].to_vec();
    [part(&needs.nonces.0), part(&needs.nonces.1)].concat()
}

/// What an exchange needs, to be calculated with the exchange's own provider.
pub(crate) fn bare(exchange: &Exchange) -> impl FnMut() + use<> {
    let provider = exchange.provider.algorithms();
    let a = Algorithms::of(&provider, exchange);
    let profile = exchange.suite.profile;
    let needs = Needs::of(exchange, a.group.private_length());
    let seed = needs.seed(profile);
    let keys = a.keys();
    let length = a.prf.output_length();
    let material = 3 * length + 2 * (keys.0.len() + keys.1.len());
    let keymat = 2 * (keys.0.len() + keys.1.len());
    let opened = exchange.steps[3..].iter().filter(|step| !step.data_out.is_empty());
    let sealed: Vec<Sealed> = opened.map(|step| a.sealed(&step.data_out)).collect();
    let mut answer = exchange.steps.get(4).filter(|step| !step.data_in.is_empty()).map(|step| a.sealed(&step.data_in));
    let proof = own_proof(exchange);
    let client_has_key = !exchange.suite.is_unauthenticated() && exchange.verified.is_empty();
    let verified: Vec<(&'static dyn Verifier, Verified)> =
        exchange.verified.iter().map(|v| (provider.verifier(v.scheme).unwrap(), v.clone())).collect();
    let (mut public, mut shared) = (vec![0; a.group.public_length()], vec![0; a.group.shared_length()]);
    let (mut out, mut code, mut inner, mut text) = (vec![0; length], vec![0; length], vec![0; length], Vec::new());
    let (mut expanded, mut used, mut signature) = (vec![0; material], vec![0; keymat], vec![0; 0]);
    if let OwnProof::Signature(signer) = &proof {
        signature = vec![0; signer.signature_length()];
    }
    let nonces = skeyseed_key(a.prf, &needs);
    move || {
        a.group.exchange(black_box(&needs.private), &needs.peer, &mut public, &mut shared).unwrap();
        a.prf.compute(&nonces, &[&shared], &mut out).unwrap();
        a.prf.expand(&out, &[&seed], &mut expanded).unwrap();
        for message in &sealed {
            a.open(message, &mut text, (&keys.0, &keys.1));
        }
        if client_has_key || !verified.is_empty() {
            a.prf.compute(&expanded[..length], &[&needs.client_identity], &mut code).unwrap();
        }
        if client_has_key {
            a.prf.compute(CLIENT_KEY, &[KEY_PAD], &mut inner).unwrap();
            a.prf.compute(&inner, &[&needs.client_octets, &needs.nonces.1, &code], &mut out).unwrap();
        }
        for (verifier, verified) in &verified {
            verifier.verify(&verified.public_key, &[&verified.message], &verified.signature).unwrap();
        }
        if !matches!(proof, OwnProof::None) {
            a.prf.compute(&expanded[..length], &[&needs.server_identity], &mut code).unwrap();
        }
        match &proof {
            OwnProof::SharedKey => {
                a.prf.compute(SERVER_KEY, &[KEY_PAD], &mut inner).unwrap();
                a.prf.compute(&inner, &[&needs.server_octets, &needs.nonces.0, &code], &mut out).unwrap();
            }
            OwnProof::Signature(signer) => {
                signer.sign(&[&needs.server_octets, &needs.nonces.0, &code], &mut signature).unwrap();
            }
            OwnProof::None => {}
        }
        if profile == Profile::SPC4 {
            a.prf.expand(&expanded[..length], &[&seed], &mut used).unwrap();
        }
        if let Some(answer) = &mut answer {
            a.seal(answer);
        }
    }
}
