//! What is not as it was sent is refused at its place, and leaves no trace.

use ikev2_scsi::crypto::CryptoError;
use ikev2_scsi::esp::{Fault, FaultKind, Field, OpenError};

use super::*;

const DATA: &[u8; 21] = b"nobody shall read it.";

/// Refused, with nothing changed and nothing decrypted.
fn refused(association: &Association, flow: Flow, form: Form, descriptor: &[u8], why: &str) -> Fault {
    let mut sa = association.parameters(1);
    let mut received = descriptor.to_vec();
    let error = esp().open(flow, &mut sa, &mut received, form).map(|_| ()).unwrap_err();
    assert_eq!(sa, association.parameters(1), "{}: {why}", association.name);
    let shows = |bytes: &[u8]| bytes.windows(8).any(|window| window == &DATA[..8]);
    assert!(!association.encrypts() || !shows(&received), "{}: {why}", association.name);
    let OpenError::Fault(fault) = error else { panic!("{}: {why}: {error}", association.name) };
    assert!(!fault.is_authentic() && fault.byte < received.len().max(1), "{fault}");
    fault
}

fn each(mut test: impl FnMut(&Association, Flow, Form, Vec<u8>)) {
    for association in Association::all() {
        for flow in FLOWS {
            for form in FORMS {
                let descriptor = association.build(flow, form, 1, DATA);
                test(association, flow, form, descriptor);
            }
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    each(|association, flow, form, descriptor| {
        for length in 0..descriptor.len() {
            let fault = refused(association, flow, form, &descriptor[..length], &format!("{length} bytes"));
            let field = if form == Form::WithLength { Field::DescriptorLength } else { Field::Descriptor };
            if form == Form::WithLength || length < 16 + association.iv_length() + association.icv_length() {
                assert_eq!((fault.byte, fault.field, fault.kind), (0, field, FaultKind::Length), "{length}");
            }
        }
    });
}

#[test]
fn every_descriptor_length_but_its_own_is_refused() {
    each(|association, flow, form, descriptor| {
        if form == Form::WithoutLength {
            return;
        }
        // Whatever stands behind the descriptor.
        let list = [descriptor.clone(), vec![0xC3; 64]].concat();
        for counted in (0..=u16::try_from(list.len()).unwrap()).chain([0x7FFF, u16::MAX]) {
            let mut changed = list.clone();
            changed[..2].copy_from_slice(&counted.to_be_bytes());
            if usize::from(counted) != descriptor.len() - 2 {
                refused(association, flow, form, &changed, &format!("DESCRIPTOR LENGTH {counted}"));
            }
        }
        let mut sa = association.parameters(1);
        let opened = esp().open(flow, &mut sa, &mut list.clone(), form).unwrap();
        assert_eq!(opened.length, descriptor.len());
    });
}

/// All bits but those that are reserved, which are ignored (reading R7).
#[test]
fn every_bit_flip_is_refused() {
    each(|association, flow, form, descriptor| {
        let icv_at = descriptor.len() - association.icv_length();
        let reserved = if form == Form::WithLength { 2..4 } else { 0..4 };
        for bit in 0..descriptor.len() * 8 {
            let (byte, mut changed) = (bit / 8, descriptor.clone());
            changed[byte] ^= 1 << (bit % 8);
            if reserved.contains(&byte) {
                let mut sa = association.parameters(1);
                let opened = esp().open(flow, &mut sa, &mut changed, form).unwrap();
                assert_eq!(&changed[opened.data], DATA);
                continue;
            }
            let fault = refused(association, flow, form, &changed, &format!("bit {bit}"));
            let (sai, sqn) = match flow {
                Flow::Out => (Field::DsSai, Field::DsSqn),
                Flow::In => (Field::AcSai, Field::AcSqn),
            };
            match byte {
                0..4 => assert!(matches!(
                    (fault.byte, fault.field),
                    (0, Field::DescriptorLength) | (_, Field::IntegrityCheckValue)
                )),
                4..8 => assert_eq!((fault.byte, fault.field, fault.kind), (4, sai, FaultKind::UnknownSai)),
                // A number of the window that is not the sender's is found by the ICV.
                8..16 => assert!([(8, sqn), (icv_at, Field::IntegrityCheckValue)].contains(&(fault.byte, fault.field))),
                _ => assert_eq!(
                    (fault.byte, fault.field, fault.kind),
                    (icv_at, Field::IntegrityCheckValue, FaultKind::Mismatch)
                ),
            }
        }
    });
}

#[test]
fn keys_serve_one_direction() {
    for association in Association::all() {
        let half = |range: std::ops::Range<usize>| association.keymat[range].to_vec();
        let (encryption, integrity) = match association.name.as_str() {
            "cbc256-sha512-256" => (32, 64),
            "cbc128-sha1-96" => (16, 20),
            "gcm128" => (20, 0),
            "gcm256" => (36, 0),
            "ccm128" => (19, 0),
            "null-sha1-96" => (0, 20),
            "null-sha256-128" => (0, 32),
            other => panic!("{other}"),
        };
        let (ai, ar) = (half(0..integrity), half(integrity..2 * integrity));
        let at = 2 * integrity;
        let (ei, er) = (half(at..at + encryption), half(at + encryption..at + 2 * encryption));
        let swapped = |keymat: Vec<u8>| Association { keymat, ..association.clone() };
        let both = swapped([&ar[..], &ai, &er, &ei].concat());
        for flow in FLOWS {
            let descriptor = association.build(flow, Form::WithLength, 1, DATA);
            let fault = refused(&both, flow, Form::WithLength, &descriptor, "the keys of the other direction");
            assert_eq!(fault.kind, FaultKind::Mismatch);
            // Swapped keys are those of the other direction.
            let other = if flow == Flow::Out { Flow::In } else { Flow::Out };
            let same = Association { sais: (association.sais.1, association.sais.0), ..both.clone() };
            assert_eq!(same.build(other, Form::WithLength, 1, DATA), descriptor);
        }
    }
}

/// A descriptor whose plaintext is exactly this, sealed with the real keys.
fn sealed(association: &Association, flow: Flow, plain: &[u8]) -> Vec<u8> {
    let provider = provider::provider();
    let (cipher, integrity, integrity_length) = match association.name.as_str() {
        "cbc256-sha512-256" => (provider.cipher(0x0C, 32).unwrap(), provider.integrity(0x0E), 64),
        "cbc128-sha1-96" => (provider.cipher(0x0C, 16).unwrap(), provider.integrity(0x02), 20),
        "gcm128" => (provider.cipher(0x14, 16).unwrap(), None, 0),
        "ccm128" => (provider.cipher(0x10, 16).unwrap(), None, 0),
        other => panic!("{other}"),
    };
    let (integrity_keys, keys) = association.keymat.split_at(2 * integrity_length);
    let index = usize::from(flow == Flow::In);
    let key = &keys[index * keys.len() / 2..][..keys.len() / 2];
    let sai = if flow == Flow::Out { association.sais.1 } else { association.sais.0 };
    let head = [&u32::try_from(sai).unwrap().to_be_bytes()[..], &2_u64.to_be_bytes()].concat();
    let (iv, mut data) = (vec![9; association.iv_length()], plain.to_vec());
    let mut icv = vec![0; association.icv_length()];
    if let Some(integrity) = integrity {
        cipher.seal(key, &iv, &[], &mut data, &mut []).unwrap();
        let key = &integrity_keys[index * integrity_length..][..integrity_length];
        integrity.compute(key, &[&head, &iv, &data], &mut icv).unwrap();
    } else {
        cipher.seal(key, &iv, &head, &mut data, &mut icv).unwrap();
    }
    [vec![0; 4], head, iv, data, icv].concat()
}

const ENCRYPTING: [&str; 4] = ["cbc256-sha512-256", "cbc128-sha1-96", "gcm128", "ccm128"];

/// Opens such a descriptor; whether it is taken or not, its number is used up.
fn open_sealed(name: &str, flow: Flow, plain: &[u8]) -> Result<Vec<u8>, Fault> {
    let association = Association::named(name);
    let mut descriptor = sealed(&association, flow, plain);
    let mut sa = association.parameters(1);
    let opened = esp().open(flow, &mut sa, &mut descriptor, Form::WithoutLength);
    assert_eq!(number_of(flow, &sa), 2, "{name}");
    match opened {
        Ok(opened) => Ok(descriptor[opened.data].to_vec()),
        Err(OpenError::Fault(fault)) => {
            assert!(fault.is_authentic());
            let at = 16 + association.iv_length();
            // The decrypted data are to be ignored, so they are gone.
            assert!(descriptor[at..at + plain.len()].iter().all(|byte| *byte == 0), "{name}");
            assert_eq!(fault.byte, at + plain.len() - 1, "the last byte of the encrypted data");
            Err(fault)
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

fn padded(data: &[u8], pad_length: u8) -> Vec<u8> {
    let padding: Vec<u8> = (1..=pad_length).collect();
    [data, &padding, &[pad_length, 0]].concat()
}

#[test]
fn padding_of_every_length_is_taken() {
    for (name, flow) in ENCRYPTING.iter().flat_map(|name| FLOWS.map(|flow| (*name, flow))) {
        for pad_length in 0..=u8::MAX {
            // Data that bring the whole to whole blocks.
            let data = vec![0x77; (usize::from(u8::MAX) + 15 - usize::from(pad_length)) % 16];
            let plain = padded(&data, pad_length);
            assert_eq!(plain.len() % 16, 0);
            assert_eq!(open_sealed(name, flow, &plain).unwrap(), data, "{name} {pad_length}");
        }
    }
}

#[test]
fn wrong_padding_is_refused_at_the_last_byte_of_the_encrypted_data() {
    for (name, flow) in ENCRYPTING.iter().flat_map(|name| FLOWS.map(|flow| (*name, flow))) {
        for pad_length in [1, 2, 14, 30, 254] {
            let data = vec![0x77; (usize::from(u8::MAX) + 15 - usize::from(pad_length)) % 16];
            let right = padded(&data, pad_length);
            for at in data.len()..data.len() + usize::from(pad_length) {
                let mut plain = right.clone();
                plain[at] ^= 1 << (at % 8);
                let fault = open_sealed(name, flow, &plain).unwrap_err();
                assert_eq!((fault.field, fault.kind), (Field::Padding, FaultKind::Padding));
            }
            for byte in (1..=u8::MAX).step_by(if pad_length == 14 { 1 } else { 50 }) {
                let mut plain = right.clone();
                *plain.last_mut().unwrap() = byte;
                let fault = open_sealed(name, flow, &plain).unwrap_err();
                assert_eq!((fault.field, fault.kind), (Field::MustBeZero, FaultKind::NotZero));
            }
        }
        // More padding than there are bytes; zeros, which are no padding of this kind.
        for plain in [[[0; 14], [1; 14]].concat()[..14].to_vec(), (1..=14).collect()] {
            for pad_length in 15..=u8::MAX {
                let plain = [&plain[..], &[pad_length, 0]].concat();
                assert_eq!(open_sealed(name, flow, &plain).unwrap_err().kind, FaultKind::Padding);
            }
        }
        assert_eq!(
            open_sealed(name, flow, &[[0; 14].as_slice(), &[3, 0]].concat()).unwrap_err().kind,
            FaultKind::Padding
        );
    }
}

/// Data that no sender can have encrypted are a matter of the length, and of nobody's keys.
#[test]
fn data_without_room_for_the_trailer_are_refused() {
    for (name, lengths) in
        [("cbc128-sha1-96", &[0_usize, 1, 2, 8, 15, 17, 24, 31, 33][..]), ("gcm128", &[0, 1]), ("ccm128", &[0, 1])]
    {
        let association = Association::named(name);
        for length in lengths {
            let whole = 16 + association.iv_length() + length + association.icv_length();
            let mut descriptor = association.build(Flow::Out, Form::WithoutLength, 1, &[0; 60]);
            descriptor.resize(whole, 0);
            let fault = refused(&association, Flow::Out, Form::WithoutLength, &descriptor, "length");
            assert_eq!(
                (fault.byte, fault.field, fault.kind),
                (0, Field::Descriptor, FaultKind::Length),
                "{name} {length}"
            );
        }
    }
    // A combined mode's data may have any length that has room.
    assert_eq!(open_sealed("gcm128", Flow::Out, &[5, 0, 0]).unwrap(), [5]);
    assert!(open_sealed("ccm128", Flow::In, &[0, 0]).unwrap().is_empty());
}

#[test]
fn a_descriptor_for_the_other_side_is_refused() {
    each(|association, flow, form, descriptor| {
        let other = if flow == Flow::Out { Flow::In } else { Flow::Out };
        let fault = refused(association, other, form, &descriptor, "reflected");
        assert_eq!(fault.kind, FaultKind::UnknownSai);
        // Also if both sides chose the same SAI.
        let twin = Association { sais: (association.sais.0, association.sais.0), ..association.clone() };
        let descriptor = twin.build(flow, form, 1, DATA);
        assert_eq!(refused(&twin, other, form, &descriptor, "reflected").kind, FaultKind::Mismatch);
    });
}

#[test]
fn faults_can_be_read() {
    let association = Association::named("gcm128");
    let fault = refused(&association, Flow::Out, Form::WithLength, &[0; 40], "zero");
    assert_eq!(
        fault.to_string(),
        "descriptor byte 0: DESCRIPTOR LENGTH: does not fit the descriptor or the algorithms"
    );
    assert_eq!(OpenError::Crypto(CryptoError::Device).to_string(), "the cryptographic device failed");
}
