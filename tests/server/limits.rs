//! Every limit, one below, at it, and one above (readings R23, R36, R40): above it the command is refused, the event says which
//! limit it was, and what others have goes on.

use ikev2_scsi::server::Limit;

use super::sealed::{Forger, Inner, mandatory_host};
use super::*;

const INVALID_FIELD_IN_CDB: (u8, u8, u8) = (5, 0x24, 0x00);
/// Offset of the NONCE payload, the last one, and bytes of the whole key exchange OUT of `mandatory_host`.
const NONCE: usize = 28 + 16 + 76 + 264;
const KEY_EXCHANGE_OUT: usize = NONCE + 36;
const VENDOR_ID: u8 = 0x2B;

/// What others have: an association, and a sequence in its midst.
struct Others {
    sa: SaId,
    client: ApplicationClient,
}

impl Others {
    const HAS: NexusId = NexusId(101);
    const MAKES: NexusId = NexusId(102);

    fn begin(unit: &mut Unit) -> Self {
        let sa = id(&unit.establish(Self::HAS, &Host::second()));
        let client = unit.client_before(Self::MAKES, &Host::second(), 2);
        unit.events();
        Self { sa, client }
    }

    fn are_unharmed(mut self, unit: &mut Unit) {
        let now = unit.instant();
        assert!(unit.server.sa(self.sa, now).is_some());
        assert!(unit.step(Self::MAKES, &mut self.client).is_none());
        assert!(unit.step(Self::MAKES, &mut self.client).is_some());
    }
}

/// Appends Vendor ID payloads, the last of them with `data` bytes, the others empty.
fn with_vendor_ids(message: &[u8], count: usize, data: usize) -> Vec<u8> {
    let mut message = message.to_vec();
    for index in 0..count {
        let (next, length) = if index + 1 == count { (0, 4 + data) } else { (VENDOR_ID, 4) };
        let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
        message.extend([next, 0, high, low]);
        message.resize(message.len() + length - 4, 7);
    }
    if count > 0 {
        message[NONCE] = VENDOR_ID;
    }
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    message[24..28].copy_from_slice(&length);
    message
}

/// The key exchange OUT of a new client on nexus A, made longer, and its answer.
fn key_exchange(unit: &mut Unit, vendor_ids: usize, data: usize) -> Reply {
    let mut client = unit.client_before(A, &mandatory_host(|builder| builder), 0);
    let message = client.next_command(&mut unit.random).unwrap().data_out;
    assert_eq!(message.len(), KEY_EXCHANGE_OUT);
    let message = with_vendor_ids(&message, vendor_ids, data);
    unit.send(A, &out(2, message.len()), &message).0
}

fn assert_refused(unit: &mut Unit, reply: Reply, expected: ((u8, u8, u8), SenseKeySpecific), limit: Limit) {
    let Reply::CheckCondition(sense) = reply else { panic!("{limit}: {reply:?}") };
    assert_eq!((codes(&sense), sense.specific), expected, "{limit}");
    let told = unit.told();
    assert!(told.contains(&(Some(A), EventKind::LimitReached { limit })), "{limit}: {told:?}");
}

/// The others have two nexuses, one running sequence, and two associations made or to be made.
#[test]
fn nexuses_sequences_and_associations() {
    type Change = fn(&mut Limits);
    let cases: [(Limit, Change); 3] = [
        (Limit::Nexuses, |limits| limits.nexuses = 4),
        (Limit::Sequences, |limits| limits.sequences = 3),
        (Limit::Sas, |limits| limits.sas = 4),
    ];
    for (limit, change) in cases {
        let mut unit = Unit::new(|builder| builder.limits(limits(change)));
        let others = Others::begin(&mut unit);
        for below in [NexusId(3), NexusId(4)] {
            unit.client_before(below, &Host::first(), 1);
        }
        let reply = key_exchange(&mut unit, 0, 0);
        assert_refused(&mut unit, reply, (RESOURCES, in_cdb(2)), limit);
        others.are_unharmed(&mut unit);
        unit.server.nexus_lost(NexusId(4));
        if limit != Limit::Nexuses {
            unit.server.nexus_lost(NexusId(3));
        }
        assert_eq!(key_exchange(&mut unit, 0, 0), Reply::Good { len: 0 }, "{limit}: room again");
    }
}

#[test]
fn associations_of_one_identity() {
    let mut unit = Unit::new(|builder| builder.limits(limits(|limits| limits.sas_per_identity = 2)));
    let others = Others::begin(&mut unit);
    unit.establish(A, &Host::first());
    unit.establish(B, &Host::first());
    let mut client = unit.client_before(A, &Host::first(), 2);
    let command = client.next_command(&mut unit.random).unwrap();
    let reply = unit.command(A, &command).0;
    assert_refused(&mut unit, reply, (AUTHENTICATION, in_list(28)), Limit::SasPerIdentity);
    others.are_unharmed(&mut unit);
}

#[test]
fn bytes_of_a_parameter_list() {
    for limit in [16_384, 20_000] {
        let mut unit = Unit::new(|builder| builder.limits(limits(|limits| limits.parameter_list = limit)));
        let others = Others::begin(&mut unit);
        let data = usize::try_from(limit).unwrap() - KEY_EXCHANGE_OUT - 4;
        for below in [data - 1, data] {
            assert_eq!(key_exchange(&mut unit, 1, below), Reply::Good { len: 0 });
            unit.server.nexus_lost(A);
        }
        let reply = key_exchange(&mut unit, 1, data + 1);
        assert_refused(&mut unit, reply, (INVALID_FIELD_IN_CDB, in_cdb(6)), Limit::ParameterList);
        others.are_unharmed(&mut unit);
    }
}

#[test]
fn payloads_of_a_message() {
    let configure = |builder: Builder| builder.limits(limits(|limits| limits.payloads = 8));
    let mut unit = Unit::new(configure);
    let others = Others::begin(&mut unit);
    for below in [3, 4] {
        assert_eq!(key_exchange(&mut unit, below, 0), Reply::Good { len: 0 });
        unit.server.nexus_lost(A);
    }
    let reply = key_exchange(&mut unit, 5, 0);
    assert_refused(&mut unit, reply, (RESOURCES, in_cdb(2)), Limit::Payloads);
    others.are_unharmed(&mut unit);
    // Those outside the Encrypted payload count with it and those inside.
    for (inside, is_refused) in [(3, false), (4, false), (5, true)] {
        let mut unit = Unit::new(configure);
        let others = Others::begin(&mut unit);
        let mut forger = Forger::in_unit(unit);
        let vendor_id: Inner = (VENDOR_ID, 0, Vec::new());
        let inner = [vec![vendor_id.clone(); inside], vec![forger.id(), forger.auth()]].concat();
        let message = forger.seal(&[vendor_id], &inner);
        let reply = forger.send(&message);
        if is_refused {
            assert_refused(&mut forger.unit, reply, (RESOURCES, in_cdb(2)), Limit::Payloads);
        } else {
            assert_eq!(reply, Reply::Good { len: 0 });
        }
        others.are_unharmed(&mut forger.unit);
    }
}

/// As a certificate that is not believed, and counted so.
#[test]
fn certificates_of_an_authentication() {
    for (count, is_refused) in [(1, false), (2, false), (3, true)] {
        let mut unit = Unit::new(|builder| builder.limits(limits(|limits| limits.certificates = 2)));
        let others = Others::begin(&mut unit);
        let mut forger = Forger::in_unit(unit);
        let certificate: Inner = (0x25, 0x80, vec![4, 0x30, 0]);
        let inner = [vec![forger.id()], vec![certificate; count], vec![forger.auth()]].concat();
        let message = forger.seal(&[], &inner);
        let reply = forger.send(&message);
        if is_refused {
            assert_refused(&mut forger.unit, reply, (AUTHENTICATION, in_list(28)), Limit::Certificates);
            let honest = forger.seal(&[], &[forger.id(), forger.auth()]);
            assert_eq!(forger.send(&honest), Reply::Good { len: 0 });
        } else {
            assert_eq!(reply, Reply::Good { len: 0 });
        }
        others.are_unharmed(&mut forger.unit);
    }
}

/// The answer: header, SCA, KE and NONCE.
const KEPT_BESIDES: usize = 28 + 76 + 264 + 36;

#[test]
fn bytes_that_a_sequence_keeps() {
    // Far more than what the others keep.
    const PADDING: usize = 3000;
    let limit = KEY_EXCHANGE_OUT + KEPT_BESIDES + 4 + PADDING;
    let mut unit = Unit::new(|builder| builder.limits(limits(|limits| limits.retained = limit)));
    let others = Others::begin(&mut unit);
    for below in [PADDING - 1, PADDING] {
        assert_eq!(key_exchange(&mut unit, 1, below), Reply::Good { len: 0 });
        unit.server.nexus_lost(A);
    }
    let reply = key_exchange(&mut unit, 1, PADDING + 1);
    assert_refused(&mut unit, reply, (RESOURCES, in_cdb(2)), Limit::Retained);
    others.are_unharmed(&mut unit);
}

/// The authentication OUT adds identity, CERT and AUTH data; of its Certificate Requests nothing is kept.
#[test]
fn bytes_that_an_authentication_adds() {
    let limit = KEY_EXCHANGE_OUT + KEPT_BESIDES + b"host-0".len() + 20 + 500;
    for (certificate, is_refused) in [(499, false), (500, false), (501, true)] {
        let mut unit = Unit::new(|builder| builder.limits(limits(|limits| limits.retained = limit)));
        let mut forger = Forger::in_unit(unit);
        unit = forger.unit;
        let others = begin_small(&mut unit);
        forger.unit = unit;
        let certificate: Inner = (0x25, 0x80, [vec![4], vec![0; certificate]].concat());
        let request: Inner = (0x26, 0x80, [vec![4], vec![9; 40]].concat());
        let message = forger.seal(&[], &[forger.id(), certificate, request, forger.auth()]);
        let reply = forger.send(&message);
        if is_refused {
            assert_refused(&mut forger.unit, reply, (RESOURCES, in_cdb(2)), Limit::Retained);
            let honest = forger.seal(&[], &[forger.id(), forger.auth()]);
            assert_eq!(forger.send(&honest), Reply::Good { len: 0 });
        } else {
            assert_eq!(reply, Reply::Good { len: 0 });
        }
        others.are_unharmed(&mut forger.unit);
    }
}

/// Others who keep no more than the mandatory suite takes.
fn begin_small(unit: &mut Unit) -> Others {
    let host = mandatory_host(|builder| builder);
    let sa = id(&unit.establish(Others::HAS, &host));
    let client = unit.client_before(Others::MAKES, &host, 2);
    unit.events();
    Others { sa, client }
}

/// `Limits::auth_failures`: one failure fewer leaves the sequence, the last one abandons it.
#[test]
fn failed_authentications() {
    for (failures, is_dropped) in [(2, false), (3, true), (4, true)] {
        let mut unit = Unit::new(|builder| builder);
        let others = Others::begin(&mut unit);
        let mut forger = Forger::in_unit(unit);
        let mut wrong = forger.auth();
        wrong.2[5] ^= 1;
        let wrong = forger.seal(&[], &[forger.id(), wrong]);
        for failure in 0..failures {
            let Reply::CheckCondition(sense) = forger.send(&wrong) else { panic!() };
            assert_eq!(codes(&sense), if failure < 3 { AUTHENTICATION } else { SEQUENCE });
        }
        let reached = (Some(A), EventKind::LimitReached { limit: Limit::AuthenticationFailures });
        assert_eq!(forger.unit.told().contains(&reached), is_dropped);
        let honest = forger.seal(&[], &[forger.id(), forger.auth()]);
        assert_eq!(forger.send(&honest) == Reply::Good { len: 0 }, !is_dropped);
        others.are_unharmed(&mut forger.unit);
    }
}

fn with_jobs(jobs: usize) -> Unit {
    let policy = policy(|policy| policy.slow_crypto = ikev2_scsi::SlowCrypto::Offload);
    Unit::new(|builder| builder.policy(policy).limits(limits(|limits| limits.jobs = jobs)))
}

#[test]
fn jobs_that_wait() {
    let mut unit = with_jobs(2);
    let [first, second] = [NexusId(3), NexusId(4)];
    let mut client = unit.client_before(first, &Host::second(), 1);
    unit.client_before(second, &Host::first(), 1);
    let reply = key_exchange(&mut unit, 0, 0);
    assert_refused(&mut unit, reply, (RESOURCES, in_cdb(2)), Limit::Jobs);
    // The first one's job is taken, which makes room, and is done, which its sequence goes on with.
    let (done, now) = (unit.run_job(), unit.instant());
    assert_eq!(key_exchange(&mut unit, 0, 0), Reply::Good { len: 0 });
    assert_eq!(unit.server.complete(done, &mut [], now), None);
    assert!(unit.step(first, &mut client).is_none());
}

/// Jobs that are taken and never given back do not let held commands pile up.
#[test]
fn commands_held_for_jobs_that_do_not_come_back() {
    let mut unit = with_jobs(1);
    let mut client = unit.client_before(A, &Host::first(), 1);
    let (done, now) = (unit.run_job(), unit.instant());
    assert_eq!(unit.server.complete(done, &mut [], now), None);
    unit.step(A, &mut client);
    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::Held(_)));
    let lost = unit.server.poll_job().unwrap();
    unit.now += 60_000;
    let reply = key_exchange(&mut unit, 0, 0);
    assert_refused(&mut unit, reply, (RESOURCES, in_cdb(2)), Limit::Jobs);
    let now = unit.instant();
    assert!(unit.server.complete(lost.fail(), &mut [], now).is_some());
    assert_eq!(key_exchange(&mut unit, 0, 0), Reply::Good { len: 0 });
}

/// With the limits that nobody has changed, whatever fits a list of 16 384 bytes is taken.
#[test]
fn the_default_takes_a_message_of_16384_bytes() {
    let mut unit = Unit::new(|builder| builder);
    let mut forger = Forger::in_unit({
        assert_eq!(key_exchange(&mut unit, 1, 16_384 - KEY_EXCHANGE_OUT - 4), Reply::Good { len: 0 });
        unit.server.nexus_lost(A);
        unit
    });
    let room = 16_384 - (28 + 4 + 16) - (4 + 4 + 6) - (4 + 4 + 20) - 12 - 16;
    let requests: Inner = (0x26, 0x80, [vec![4], vec![9; (room - 5) / 20 * 20]].concat());
    let message = forger.seal(&[], &[forger.id(), requests, forger.auth()]);
    assert!(message.len() <= 16_384 && message.len() > 16_350);
    assert_eq!(forger.send(&message), Reply::Good { len: 0 });
}
