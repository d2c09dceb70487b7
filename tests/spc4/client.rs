//! An application client written from the documents: SPC-4 5.14.3, 5.14.4, 7.7.3; it shares nothing with the crate's own. It
//! sends what it is told to, right or wrong.

use super::toys::{checksum, crypt, signature};

/// NEXT PAYLOAD codes (SPC-4 table 524).
pub(crate) const KE: u8 = 0x22;
pub(crate) const IDI: u8 = 0x23;
pub(crate) const IDR: u8 = 0x24;
pub(crate) const CERT: u8 = 0x25;
pub(crate) const CERTREQ: u8 = 0x26;
pub(crate) const AUTH: u8 = 0x27;
pub(crate) const NONCE: u8 = 0x28;
pub(crate) const NOTIFY: u8 = 0x29;
pub(crate) const DELETE: u8 = 0x2A;
pub(crate) const ENCRYPTED: u8 = 0x2E;
pub(crate) const ALGORITHMS: u8 = 0x81;
pub(crate) const SAUT: u8 = 0x82;
pub(crate) const TIMEOUTS: u8 = 0x83;

/// A payload: its code, its flags (CRIT is 80h), its data.
pub(crate) type Part = (u8, u8, Vec<u8>);

pub(crate) fn part(code: u8, data: &[u8]) -> Part {
    (code, 0x80, data.to_vec())
}

/// An algorithm descriptor (SPC-4 table 544).
pub(crate) fn descriptor(kind: u8, identifier: u32, key_length: u16) -> [u8; 12] {
    let [i0, i1, i2, i3] = identifier.to_be_bytes();
    let [k0, k1] = key_length.to_be_bytes();
    [kind, 0, 0, 12, i0, i1, i2, i3, 0, 0, k0, k1]
}

/// What is selected for the exchange: the lengths are those of the algorithms.
#[derive(Clone, Copy)]
pub(crate) struct Suite {
    pub(crate) encr: (u32, u16),
    pub(crate) prf: u32,
    pub(crate) integ: u32,
    pub(crate) group: u32,
    /// SA_AUTH_OUT and SA_AUTH_IN.
    pub(crate) auth: [u32; 2],
    /// Of the vector, the ICV, the salt, the integrity key, the PRF, and the alignment.
    lengths: [usize; 6],
}

pub(crate) const SHARED_KEY: u32 = 0x00F9_0002;
pub(crate) const P521: u32 = 0x00F9_000B;
pub(crate) const NO_AUTH: u32 = 0x00F9_0000;
pub(crate) const COMBINED: u32 = 0xF003_0001;
pub(crate) const NULL: u32 = 0x8001_000B;
pub(crate) const CBC: u32 = 0x8001_000C;
pub(crate) const CCM: u32 = 0x8001_0010;
pub(crate) const GCM: u32 = 0x8001_0014;
pub(crate) const SHA1_96: u32 = 0x8003_0002;
pub(crate) const SHA512_256: u32 = 0x8003_000E;

/// AES-GCM, SHA-256, group 14.
pub(crate) const COMBINED_SUITE: Suite = Suite {
    encr: (GCM, 16),
    prf: 0x8002_0005,
    integ: COMBINED,
    group: 0x8004_000E,
    auth: [SHARED_KEY; 2],
    lengths: [8, 16, 4, 0, 32, 4],
};

/// AES-CBC, SHA-512, SHA2-512-256, group 21.
pub(crate) const SEPARATE_SUITE: Suite = Suite {
    encr: (CBC, 32),
    prf: 0x8002_0007,
    integ: SHA512_256,
    group: 0x8004_0015,
    auth: [SHARED_KEY; 2],
    lengths: [16, 32, 0, 64, 64, 16],
};

/// The same with SHA2-256-128, whose device breaks in one test.
pub(crate) const FRAGILE_SUITE: Suite =
    Suite { integ: 0x8003_000C, lengths: [16, 16, 0, 32, 64, 16], ..SEPARATE_SUITE };

impl Suite {
    pub(crate) const fn with_auth(self, auth: [u32; 2]) -> Self {
        Self { auth, ..self }
    }

    pub(crate) fn descriptors(&self) -> Vec<[u8; 12]> {
        vec![
            descriptor(0x01, self.encr.0, self.encr.1),
            descriptor(0x02, self.prf, 0),
            descriptor(0x03, self.integ, 0),
            descriptor(0x04, self.group, 0),
            descriptor(0xF9, self.auth[0], 0),
            descriptor(0xFA, self.auth[1], 0),
        ]
    }

    pub(crate) const fn iv(&self) -> usize {
        self.lengths[0]
    }

    pub(crate) const fn icv(&self) -> usize {
        self.lengths[1]
    }

    pub(crate) const fn alignment(&self) -> usize {
        self.lengths[5]
    }

    fn is_combined(&self) -> bool {
        self.integ == COMBINED
    }

    pub(crate) const fn public_length(&self) -> usize {
        if self.group == 0x8004_000E { 16 } else { 18 }
    }
}

/// 81h as the standard prints it (S1): 17 bytes, count, descriptors.
pub(crate) fn algorithms(descriptors: &[[u8; 12]]) -> Vec<u8> {
    let mut data = vec![0; 16];
    data.push(u8::try_from(descriptors.len()).unwrap());
    data.extend(descriptors.concat());
    data
}

/// 82h (SPC-4 table 542).
pub(crate) fn saut(sa_type: u16, usage_data: &[u8], descriptors: &[[u8; 12]]) -> Vec<u8> {
    let mut data = vec![0; 8];
    data.extend(sa_type.to_be_bytes());
    data.extend(u16::try_from(usage_data.len()).unwrap().to_be_bytes());
    data.extend(usage_data);
    data.extend([0, 0, 0, u8::try_from(descriptors.len()).unwrap()]);
    data.extend(descriptors.concat());
    data
}

/// 83h (SPC-4 table 543).
pub(crate) fn timeouts(values: &[u32]) -> Vec<u8> {
    let mut data = vec![0, 0, 0, u8::try_from(values.len()).unwrap()];
    data.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    data
}

/// The code of the first payload, and all of them linked.
pub(crate) fn link(parts: &[Part]) -> (u8, Vec<u8>) {
    let mut bytes = Vec::new();
    for (index, (_, flags, data)) in parts.iter().enumerate() {
        bytes.push(parts.get(index + 1).map_or(0, |next| next.0));
        bytes.push(*flags);
        bytes.extend(u16::try_from(data.len() + 4).unwrap().to_be_bytes());
        bytes.extend(data);
    }
    (parts.first().map_or(0, |first| first.0), bytes)
}

/// Where the n-th payload begins, from the first one's first byte.
pub(crate) fn place(parts: &[Part], index: usize) -> usize {
    parts[..index].iter().map(|(_, _, data)| data.len() + 4).sum()
}

/// The payloads of a chain.
pub(crate) fn parts(mut code: u8, mut bytes: &[u8]) -> Vec<Part> {
    let mut found = Vec::new();
    while code != 0 {
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        found.push((code, bytes[1], bytes[4..length].to_vec()));
        (code, bytes) = (bytes[0], &bytes[length..]);
    }
    found
}

/// SK_ai, SK_ar, SK_ei, SK_er, SK_d, SK_pi, SK_pr.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    pub(crate) integrity: [Vec<u8>; 2],
    pub(crate) encryption: [Vec<u8>; 2],
    pub(crate) d: Vec<u8>,
    pub(crate) p: [Vec<u8>; 2],
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) suite: Suite,
    pub(crate) name: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) capabilities: Vec<u8>,
    pub(crate) ac_sai: u32,
    pub(crate) ds_sai: u32,
    pub(crate) nonce: Vec<u8>,
    pub(crate) their_nonce: Vec<u8>,
    pub(crate) public: Vec<u8>,
    pub(crate) timeouts: Vec<u32>,
    pub(crate) usage: Vec<u8>,
    pub(crate) initial_contact: bool,
    pub(crate) id_type: u8,
    pub(crate) out: Vec<u8>,
    pub(crate) answer: Vec<u8>,
    pub(crate) keys: Keys,
}

impl Client {
    pub(crate) fn new(suite: Suite, ac_sai: u32) -> Self {
        let usage = saut(0x0081, &[], &[descriptor(1, GCM, 16), descriptor(3, COMBINED, 0)]);
        Self {
            suite,
            name: b"host".to_vec(),
            key: b"host's key".to_vec(),
            capabilities: Vec::new(),
            ac_sai,
            ds_sai: 0,
            nonce: vec![0x4E; 32],
            their_nonce: Vec::new(),
            public: vec![0x3C; suite.public_length()],
            timeouts: vec![60, 600],
            usage,
            initial_contact: false,
            id_type: 0x0B,
            out: Vec::new(),
            answer: Vec::new(),
            keys: Keys::default(),
        }
    }

    pub(crate) fn is_unauthenticated(&self) -> bool {
        self.suite.auth == [NO_AUTH; 2]
    }

    pub(crate) fn header(&self, first: u8, message_id: u32, payloads: usize) -> Vec<u8> {
        let mut header = vec![0; 4];
        header.extend(self.ac_sai.to_be_bytes());
        header.extend([0; 4]);
        header.extend(self.ds_sai.to_be_bytes());
        header.extend([first, 0x20, 0, 0x10]);
        header.extend(message_id.to_be_bytes());
        header.extend(u32::try_from(28 + payloads).unwrap().to_be_bytes());
        header
    }

    /// A message that is not sealed.
    pub(crate) fn plain(&self, message_id: u32, parts: &[Part]) -> Vec<u8> {
        let (first, payloads) = link(parts);
        [self.header(first, message_id, payloads.len()), payloads].concat()
    }

    /// The payloads of the key exchange OUT in the order of SPC-4 5.14.4.6.2.
    pub(crate) fn key_exchange_parts(&self) -> Vec<Part> {
        let [.., g0, g1] = self.suite.group.to_be_bytes();
        let mut parts = vec![
            part(TIMEOUTS, &timeouts(&self.timeouts)),
            part(ALGORITHMS, &algorithms(&self.suite.descriptors())),
            part(KE, &[&[g0, g1, 0, 0], self.public.as_slice()].concat()),
            part(NONCE, &self.nonce),
        ];
        if self.is_unauthenticated() {
            parts.insert(2, part(SAUT, &self.usage));
        }
        parts
    }

    pub(crate) fn key_exchange_out(&mut self) -> Vec<u8> {
        self.ds_sai = 0;
        self.out = self.plain(0, &self.key_exchange_parts());
        self.out.clone()
    }

    fn prf(&self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut out = vec![0; self.suite.lengths[4]];
        checksum(key, parts, &mut out);
        out
    }

    /// SPC-4 5.14.3.2 and 5.14.3.3.
    pub(crate) fn kdf(&self, key: &[u8], length: usize) -> Vec<u8> {
        let sais = [self.ac_sai.to_be_bytes(), self.ds_sai.to_be_bytes()].concat();
        let string = [self.nonce.as_slice(), &self.their_nonce, &sais].concat();
        let (mut block, mut out) = (Vec::new(), Vec::new());
        for number in 1..=u8::MAX {
            if out.len() >= length {
                break;
            }
            block = self.prf(key, &[&block, &string, &[number]]);
            out.extend(&block);
        }
        out.truncate(length);
        out
    }

    /// Takes what the key exchange IN tells, and derives the keys (SPC-4 5.14.4.8).
    pub(crate) fn read_key_exchange_in(&mut self, answer: &[u8]) {
        assert_eq!(answer[..8], [&[0; 4], self.ac_sai.to_be_bytes().as_slice()].concat(), "AC_SAI");
        assert_eq!(answer[8..12], [0; 4], "restricted bytes");
        assert_eq!(answer[17..24], [0x20, 0, 0x04, 0, 0, 0, 0], "version, exchange, flags, MESSAGE ID");
        assert_eq!(answer[24..28], u32::try_from(answer.len()).unwrap().to_be_bytes(), "IKE LENGTH");
        self.ds_sai = u32::from_be_bytes(*answer[12..].first_chunk().unwrap());
        let parts = parts(answer[16], &answer[28..]);
        let of = |code| parts.iter().find(|part| part.0 == code).unwrap().2.clone();
        assert!(parts.iter().all(|part| part.1 == 0x80), "CRIT");
        let ours = crate::client::parts(self.out[16], &self.out[28..]);
        for code in [ALGORITHMS, SAUT] {
            let echo = |parts: &[Part]| parts.iter().find(|part| part.0 == code).map(|part| part.2.clone());
            assert_eq!(echo(&parts), echo(&ours), "{code:02x}h is echoed");
        }
        self.their_nonce = of(NONCE);
        let shared: Vec<u8> = of(KE)[4..].iter().zip(&self.public).map(|(a, b)| a ^ b).collect();
        let seed = self.prf(&[self.nonce.as_slice(), &self.their_nonce].concat(), &[&shared]);
        let [_, _, salt, integ, prf, _] = self.suite.lengths;
        let encr = usize::from(self.suite.encr.1) + salt;
        let lengths = [prf, integ, integ, encr, encr, prf, prf];
        let all = self.kdf(&seed, lengths.iter().sum());
        let mut rest = all.as_slice();
        let [d, ai, ar, ei, er, pi, pr] = lengths.map(|length| {
            let (key, later) = rest.split_at(length);
            rest = later;
            key.to_vec()
        });
        self.keys = Keys { integrity: [ai, ar], encryption: [ei, er], d, p: [pi, pr] };
        self.answer = answer.to_vec();
    }

    /// Padding as SPC-4 7.7.3.5.11.2 has it, and PAD LENGTH.
    pub(crate) fn pad(&self, inner: &[u8]) -> Vec<u8> {
        let padding = (inner.len() + 1).next_multiple_of(self.suite.alignment()) - inner.len() - 1;
        let padding = u8::try_from(padding).unwrap();
        [inner, &(1..=padding).collect::<Vec<u8>>(), &[padding]].concat()
    }

    /// Seals plaintext, padding and all, behind a header (SPC-4 7.7.3.5.11).
    pub(crate) fn seal(&self, header: &[u8], first: u8, plaintext: &[u8]) -> Vec<u8> {
        let iv = vec![0x17; self.suite.iv()];
        let length = 4 + iv.len() + plaintext.len() + self.suite.icv();
        let mut message = header.to_vec();
        message[24..28].copy_from_slice(&u32::try_from(28 + length).unwrap().to_be_bytes());
        message.extend([first, 0x80]);
        message.extend(u16::try_from(length).unwrap().to_be_bytes());
        let associated = message.clone();
        let mut text = plaintext.to_vec();
        crypt(&self.keys.encryption[0], &iv, &mut text);
        let mut icv = vec![0; self.suite.icv()];
        let key = if self.suite.is_combined() { &self.keys.encryption[0] } else { &self.keys.integrity[0] };
        checksum(key, &[&associated, &iv, &text], &mut icv);
        message.extend(iv);
        message.extend(text);
        message.extend(icv);
        message
    }

    pub(crate) fn sealed(&self, message_id: u32, parts: &[Part]) -> Vec<u8> {
        let (first, inner) = link(parts);
        self.seal(&self.header(ENCRYPTED, message_id, 0), first, &self.pad(&inner))
    }

    fn identification(&self) -> Vec<u8> {
        [&[self.id_type, 0, 0, 0], self.name.as_slice()].concat()
    }

    /// AUTHENTICATION DATA of one direction (SPC-4 7.7.3.5.7).
    fn authentication(&self, direction: usize, key: &[u8], id: &[u8]) -> Vec<u8> {
        let (message, nonce) = [(&self.out, &self.their_nonce), (&self.answer, &self.nonce)][direction];
        let name = self.prf(&self.keys.p[direction], &[id]);
        let octets: [&[u8]; 4] = [&self.capabilities, message, nonce, &name];
        if self.suite.auth[direction] == P521 {
            return signature(key, &octets);
        }
        let padded = self.prf(key, &[b"Key Pad for IKEv2-SCSI"]);
        self.prf(&padded, &octets)
    }

    /// The payloads of the authentication OUT in the order of SPC-4 5.14.4.7.2.
    pub(crate) fn authentication_parts(&self) -> Vec<Part> {
        let id = self.identification();
        let [.., method] = self.suite.auth[0].to_be_bytes();
        let auth = [&[method, 0, 0, 0], self.authentication(0, &self.key, &id).as_slice()].concat();
        let mut parts = vec![part(IDI, &id), part(SAUT, &self.usage)];
        if self.initial_contact {
            parts.push(part(NOTIFY, &self.notify()));
        }
        parts.push(part(AUTH, &auth));
        parts
    }

    pub(crate) fn notify(&self) -> Vec<u8> {
        [&[1, 8, 0x40, 0, 0, 0, 0, 0], self.ds_sai.to_be_bytes().as_slice()].concat()
    }

    pub(crate) fn authentication_out(&self) -> Vec<u8> {
        self.sealed(1, &self.authentication_parts())
    }

    /// Opens the authentication IN, checks all of it, and gives its payloads.
    pub(crate) fn read_authentication_in(&self, answer: &[u8], key: &[u8]) -> Vec<Part> {
        assert_eq!(answer[16..24], [ENCRYPTED, 0x20, 0, 0x04, 0, 0, 0, 1]);
        let (text, icv) = answer.split_at(answer.len() - self.suite.icv());
        let (head, text) = text.split_at(32 + self.suite.iv());
        let mut expected = vec![0; icv.len()];
        let by = if self.suite.is_combined() { &self.keys.encryption[1] } else { &self.keys.integrity[1] };
        checksum(by, &[head, text], &mut expected);
        assert_eq!(expected, icv, "ICV");
        let mut plain = text.to_vec();
        crypt(&self.keys.encryption[1], &head[32..], &mut plain);
        assert_eq!(plain.len() % self.suite.alignment(), 0, "alignment");
        let padding = plain.pop().unwrap();
        let inner = plain.len() - usize::from(padding);
        assert_eq!(plain[inner..], (1..=padding).collect::<Vec<u8>>(), "padding");
        let parts = parts(head[28], &plain[..inner]);
        let of = |code| parts.iter().find(|part| part.0 == code).unwrap().2.clone();
        assert_eq!(of(SAUT), self.usage, "SAUT is echoed");
        let [.., method] = self.suite.auth[1].to_be_bytes();
        let auth = self.authentication(1, key, &of(IDR));
        assert_eq!(of(AUTH), [&[method, 0, 0, 0], auth.as_slice()].concat(), "AUTH");
        parts
    }

    /// The data of a Delete payload (SPC-4 table 537).
    pub(crate) fn deletion(&self) -> Vec<u8> {
        let (ac_sai, ds_sai) = (self.ac_sai.to_be_bytes(), self.ds_sai.to_be_bytes());
        [&[1, 8, 0, 2, 0, 0, 0, 0], ac_sai.as_slice(), &[0; 4], &ds_sai].concat()
    }

    pub(crate) fn delete(&self) -> Vec<u8> {
        self.sealed(2, &[part(DELETE, &self.deletion())])
    }
}
