//! Whatever goes in comes out, and arbitrary bytes are refused.

use proptest::prelude::*;

use super::*;

fn associations() -> impl Strategy<Value = Association> {
    proptest::sample::select(Association::all())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_opened(
        association in associations(),
        out in any::<bool>(),
        with_length in any::<bool>(),
        last in 0..LAST,
        behind in 0..32_u64,
        iv in any::<[u8; 16]>(),
        data in proptest::collection::vec(any::<u8>(), 0..700),
    ) {
        let flow = if out { Flow::Out } else { Flow::In };
        let form = if with_length { Form::WithLength } else { Form::WithoutLength };
        let mut sender = association.parameters(last);
        let mut random = Recorded(iv[..association.iv_length()].to_vec());
        let built = esp().build(flow, &mut sender, &data, form, &mut random).unwrap();
        prop_assert_eq!(Ok(built.descriptor.len()), esp().built_length(flow, &sender, data.len(), form));
        if association.encrypts() && data.len() >= 8 {
            prop_assert!(!built.descriptor.windows(data.len()).any(|window| window == data));
        }
        let mut receiver = association.parameters(last.saturating_sub(behind));
        let mut descriptor = built.descriptor;
        let opened = esp().open(flow, &mut receiver, &mut descriptor, form).unwrap();
        prop_assert_eq!(&descriptor[opened.data], &data[..]);
        prop_assert_eq!(number_of(flow, &receiver), number_of(flow, &sender));
    }

    #[test]
    fn arbitrary_bytes_are_refused(
        association in associations(),
        with_length in any::<bool>(),
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        right in any::<bool>(),
    ) {
        let form = if with_length { Form::WithLength } else { Form::WithoutLength };
        if right && bytes.len() >= 16 {
            let counted = u16::try_from(bytes.len() - 2).unwrap().to_be_bytes();
            bytes[..2].copy_from_slice(&counted);
            bytes[4..8].copy_from_slice(&u32::try_from(association.sais.1).unwrap().to_be_bytes());
            bytes[8..16].copy_from_slice(&2_u64.to_be_bytes());
        }
        let mut sa = association.parameters(1);
        prop_assert!(esp().open(Flow::Out, &mut sa, &mut bytes, form).is_err());
        prop_assert_eq!(sa, association.parameters(1));
    }
}
