//! Capabilities: what is listed, what must be, and when changes count (SPC-4 5.14.4.3.4, 5.14.4.5, 7.7.2.3, 7.7.3.5.12; readings S8,
//! Q1, Q16).

use super::client::{COMBINED, COMBINED_SUITE, GCM, NO_AUTH, SEPARATE_SUITE, SHARED_KEY, descriptor, saut};
use super::*;
use ikev2_scsi::server::ConfigError;
use ikev2_scsi::wire::Descriptor;
use ikev2_scsi::{capabilities::CapabilitiesError, provider};

const READ: [u8; 4] = [0xA2, 0x40, 1, 1];

fn descriptors(parameter_data: &[u8]) -> Vec<[u8; 12]> {
    parameter_data[12..].chunks(12).map(|each| each.try_into().unwrap()).collect()
}

fn wire(list: &[[u8; 12]]) -> Vec<Descriptor> {
    list.iter().map(Descriptor::from_bytes).collect()
}

/// SPC-4 tables 519, 540, 547 to 555: this crate's provider under SPC-4's numbers, ascending, each key length by itself.
#[test]
fn the_list_of_the_crates_own_provider() {
    let mut bench = Bench::new();
    bench.server = DeviceServer::builder(provider::provider())
        .profile(Profile::SPC4)
        .identity(Identity::key_id(b"drive"))
        .preshared_keys(shared_keys())
        .policy(policy(|_| {}))
        .build()
        .unwrap();
    let data = bench.capabilities(A);
    let expected = [
        descriptor(1, 0x8001_000B, 0),
        descriptor(1, 0x8001_000C, 16),
        descriptor(1, 0x8001_000C, 32),
        descriptor(1, 0x8001_0010, 16),
        descriptor(1, 0x8001_0010, 32),
        descriptor(1, 0x8001_0014, 16),
        descriptor(1, 0x8001_0014, 32),
        descriptor(2, 0x8002_0002, 0),
        descriptor(2, 0x8002_0004, 0),
        descriptor(2, 0x8002_0005, 0),
        descriptor(2, 0x8002_0007, 0),
        descriptor(3, 0x8003_0002, 0),
        descriptor(3, 0x8003_000C, 0),
        descriptor(3, 0x8003_000E, 0),
        descriptor(3, 0xF003_0001, 0),
        descriptor(4, 0x8004_000E, 0),
        descriptor(4, 0x8004_000F, 0),
        descriptor(4, 0x8004_0010, 0),
        descriptor(4, 0x8004_0013, 0),
        descriptor(4, 0x8004_0015, 0),
        descriptor(0xF9, 0x00F9_0000, 0),
        descriptor(0xF9, 0x00F9_0002, 0),
        descriptor(0xFA, 0x00F9_0000, 0),
        descriptor(0xFA, 0x00F9_0002, 0),
    ];
    let payload = 8 + 12 * expected.len();
    let [p0, p1] = u16::try_from(payload).unwrap().to_be_bytes();
    // PARAMETER DATA LENGTH; no next payload, CRIT, IKE PAYLOAD LENGTH; reserved, NUMBER OF ALGORITHM DESCRIPTORS.
    assert_eq!(data[..12], [0, 0, p0, p1, 0, 0x80, p0, p1, 0, 0, 0, 24]);
    assert_eq!(descriptors(&data), expected);
}

/// SPC-4 5.14.4.3.4: SA_AUTH_NONE only by configuration, and then in both directions.
#[test]
fn no_authentication_is_listed_by_configuration_only() {
    for allowed in [false, true] {
        let mut bench =
            Bench::with(|builder| builder.policy(policy(|policy| policy.allow_no_authentication = allowed)));
        let list = descriptors(&bench.capabilities(A));
        for kind in [0xF9, 0xFA] {
            assert_eq!(list.iter().filter(|d| **d == descriptor(kind, NO_AUTH, 0)).count(), usize::from(allowed));
        }
        let mut client = bench.client(A, COMBINED_SUITE.with_auth([NO_AUTH; 2]), 0x1000);
        let (reply, _) = bench.send(A, Command::KeyExchangeOut, &client.key_exchange_out());
        assert_eq!(matches!(reply, Reply::Good { .. }), allowed);
    }
}

/// The rows of SPC-4 table 82.
fn rows() -> [[[u8; 12]; 6]; 2] {
    [
        [
            descriptor(1, 0x8001_0014, 16),
            descriptor(2, 0x8002_0005, 0),
            descriptor(3, 0xF003_0001, 0),
            descriptor(4, 0x8004_000E, 0),
            descriptor(0xF9, 0x00F9_0001, 0),
            descriptor(0xFA, 0x00F9_0001, 0),
        ],
        [
            descriptor(1, 0x8001_000C, 32),
            descriptor(2, 0x8002_0007, 0),
            descriptor(3, 0x8003_000E, 0),
            descriptor(4, 0x8004_0015, 0),
            descriptor(0xF9, 0x00F9_000B, 0),
            descriptor(0xFA, 0x00F9_000B, 0),
        ],
    ]
}

/// What takes the place of an absent algorithm, so that its type is there.
fn others() -> [[u8; 12]; 6] {
    [
        descriptor(1, 0x8001_0014, 32),
        descriptor(2, 0x8002_0002, 0),
        descriptor(3, 0x8003_0002, 0),
        descriptor(4, 0x8004_000F, 0),
        descriptor(0xF9, SHARED_KEY, 0),
        descriptor(0xFA, SHARED_KEY, 0),
    ]
}

fn strict(list: &[[u8; 12]]) -> Result<DeviceServer, ConfigError> {
    let policy = policy(|policy| policy.waive_complete_row = false);
    builder().policy(policy).fixed_capabilities(&wire(list)).build()
}

/// SPC-4 5.14.4.5: one row is there whole, or the missing algorithm is named; a test bench may waive it.
#[test]
fn one_row_of_table_82_is_there_whole() {
    let names = [
        ["GCM", "SHA2_256", "COMBINED", "2048-bit", "RSA", "RSA"],
        ["CBC", "SHA2_512", "SHA2_512_256", "521-bit", "P-521", "P-521"],
    ];
    let kinds = ["ENCR", "PRF", "INTEG", "D-H", "SA_AUTH_OUT", "SA_AUTH_IN"];
    for (row, names) in rows().iter().zip(names) {
        assert!(strict(row).is_ok());
        for missing in 0..6 {
            let mut list = row.to_vec();
            list[missing] = others()[missing];
            match strict(&list).map(|_| ()) {
                Err(ConfigError::Capabilities(CapabilitiesError::Incomplete { kind, name })) => {
                    assert_eq!(kind, kinds[missing]);
                    assert!(name.contains(names[missing]), "{name} for {}", names[missing]);
                }
                other => panic!("{other:?}"),
            }
            assert!(builder().fixed_capabilities(&wire(&list)).build().is_ok(), "waived");
        }
    }
    // A device server with shared keys only, as it would be derived.
    assert!(builder().policy(policy(|policy| policy.waive_complete_row = false)).build().is_err());
    // The second row with ECDSA.
    let (builder, _) = signing(builder(), 0);
    assert!(builder.policy(policy(|policy| policy.waive_complete_row = false)).build().is_ok());
}

/// SPC-4 5.14.4.5: SA_AUTH_NONE once for each direction or for none.
#[test]
fn no_authentication_in_one_direction_cannot_be_listed() {
    for one in [0xF9, 0xFA] {
        let mut list = rows()[0].to_vec();
        list.push(descriptor(one, NO_AUTH, 0));
        assert!(strict(&list).is_err(), "{one:x}");
        let mut server = strict(&rows()[0]).unwrap();
        assert!(server.set_capabilities(&wire(&list)).is_err());
        list.push(descriptor(one ^ 0x03, NO_AUTH, 0));
        assert!(strict(&list).is_ok());
        list.push(descriptor(one, NO_AUTH, 0));
        assert!(strict(&list).is_err(), "twice");
    }
}

/// A device server that can only be authenticated, or only authenticate others, is of no use to anybody.
#[test]
fn each_direction_has_a_way_to_authenticate() {
    for one in [0xF9, 0xFA] {
        let mut list = rows()[0].to_vec();
        list.retain(|d| d[0] != one);
        let error = builder().fixed_capabilities(&wire(&list)).build().map(|_| ());
        assert_eq!(error.unwrap_err(), ConfigError::Capabilities(CapabilitiesError::OneSided));
    }
    // One without a key of its own.
    let bare = DeviceServer::builder(toys::toy_provider())
        .profile(Profile::SPC4)
        .identity(Identity::key_id(b"drive"))
        .validator(Arc::new(First::default()));
    let strict = |policy| bare.policy(policy).build().map(|_| ());
    let error = strict(policy(|policy| policy.allow_no_authentication = false));
    assert_eq!(error.unwrap_err(), ConfigError::Capabilities(CapabilitiesError::OneSided));
}

/// Changed capabilities count when they were returned whole to somebody, and then everybody else is to be told once.
#[test]
fn a_change_counts_when_it_was_read() {
    let mut bench = Bench::new();
    let old = bench.capabilities(A);
    let mut shorter = descriptors(&old);
    shorter.retain(|d| *d != descriptor(1, GCM, 16));
    bench.server.set_capabilities(&wire(&shorter)).unwrap();
    bench.events();
    // In force is what was read last.
    bench.establish_without_reading(A, &old, 0x1000);
    // Neither the formats, nor a part, nor another's sequence make it count.
    assert_eq!(bench.execute(B, &[0xA2, 0x40, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0], &[]).1.len(), 8);
    let length = 12 + 12 * shorter.len();
    for part in [0, 4, length - 1] {
        let [l0, l1] = u16::try_from(part).unwrap().to_be_bytes();
        let cdb = [READ[0], READ[1], READ[2], READ[3], 0, 0, 0, 0, l0, l1, 0, 0];
        assert_eq!(bench.execute(B, &cdb, &[]).1.len(), part);
        bench.establish_without_reading(A, &old, 0x2000 + u32::from(l1));
    }
    assert!(!bench.events().iter().any(|(_, kind)| *kind == EventKind::CapabilitiesChanged));
    let new = bench.capabilities(B);
    assert_eq!(descriptors(&new), shorter);
    let changed = (Some(B), EventKind::CapabilitiesChanged);
    assert_eq!(bench.events().iter().filter(|event| **event == changed).count(), 1);
    bench.capabilities(A);
    assert!(!bench.events().iter().any(|(_, kind)| *kind == EventKind::CapabilitiesChanged), "once");
    // What is no longer listed cannot be selected.
    let mut client = bench.client(A, COMBINED_SUITE, 0x3000);
    let sense = bench.refused(A, Command::KeyExchangeOut, &client.key_exchange_out());
    assert_eq!((code(&sense), sense.specific), (INVALID, in_list(44 + 21 + 10)));
    let mut client = bench.client(A, SEPARATE_SUITE, 0x4000);
    client.usage = saut(0x81, &[], &[descriptor(1, GCM, 32), descriptor(3, COMBINED, 0)]);
    bench.begin_and_finish(A, &mut client);
}

/// A second change replaces the first; the same list again is none.
#[test]
fn changes_that_nobody_read() {
    let mut bench = Bench::new();
    let old = descriptors(&bench.capabilities(A));
    bench.events();
    for list in [&old[1..], &old[..]] {
        bench.server.set_capabilities(&wire(list)).unwrap();
    }
    assert_eq!(descriptors(&bench.capabilities(B)), old);
    assert_eq!(bench.events(), [(Some(B), EventKind::CapabilitiesRead)]);
}

/// SPC-4 5.14.4.1, reading S8: changed in the midst of a sequence, and read by anybody: the Authentication step fails.
#[test]
fn a_change_on_the_way_makes_authentication_fail() {
    for reads in [false, true] {
        for commands in 1..=2 {
            let mut bench = Bench::new();
            let mut client = bench.after(A, COMBINED_SUITE, 0x1000, commands);
            let mut list = descriptors(&client.capabilities);
            list.retain(|d| d[..8] != descriptor(4, 0x8004_0015, 0)[..8]);
            bench.server.set_capabilities(&wire(&list)).unwrap();
            if reads {
                bench.capabilities(B);
            }
            if commands == 1 {
                bench.step(A, &mut client);
            }
            if !reads {
                bench.finish(A, &mut client);
                continue;
            }
            let sense = bench.refused(A, Command::AuthenticationOut, &client.authentication_out());
            assert_eq!((code(&sense), sense.specific), (DENIED, SenseKeySpecific::None));
            bench.is_abandoned(A, &client);
        }
    }
}

/// AUTH is over the whole list, whatever an allocation length has cut off.
#[test]
fn a_short_read_breaks_nobodys_authentication() {
    let mut bench = Bench::new();
    let mut client = bench.after(A, COMBINED_SUITE, 0x1000, 2);
    let cdb = [READ[0], READ[1], READ[2], READ[3], 0, 0, 0, 0, 0, 20, 0, 0];
    assert_eq!(bench.execute(B, &cdb, &[]).1.len(), 20);
    bench.finish(A, &mut client);
}

impl Bench {
    /// A client that has read the capabilities before.
    fn establish_without_reading(&mut self, nexus: NexusId, capabilities: &[u8], ac_sai: u32) {
        let mut client = Client::new(COMBINED_SUITE, ac_sai);
        client.capabilities = capabilities.to_vec();
        self.begin_and_finish(nexus, &mut client);
    }
}
