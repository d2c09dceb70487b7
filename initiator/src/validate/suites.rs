//! Every algorithm that is listed is ready to use (r3 7.7.4.11, 7.7.4.11.1, 5.13.5; SPC-4 7.7.3.5.12, 7.7.3.6): with each of them an exchange
//! comes to its end.

use ikev2_scsi::algorithm::{self, AlgorithmType};
use ikev2_scsi::client::Preferences;
use ikev2_scsi::wire::Descriptor;

use super::Assertion;
use super::bench::{Bench, Nexus};
use super::capabilities::listed;
use super::exchange::Exchange;
use super::outcome::{Ended, Stop};

const FIRST: Nexus = Nexus::First;
const READY: [&str; 2] = ["7.7.4.11, 7.7.4.11.1", "7.7.3.5.12, 7.7.3.6"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(
        1401,
        "makes an association with each encryption algorithm and key length that it lists",
        READY,
        |bench| {
            each(bench, AlgorithmType::Encryption, |preferences, known| {
                preferences.encryption = vec![(known.identifier, known.key_length())];
            })
        },
    ),
    Assertion::new(1402, "makes an association with each pseudo-random function that it lists", READY, |bench| {
        each(bench, AlgorithmType::PseudoRandom, |preferences, known| {
            preferences.pseudo_random = vec![known.identifier];
        })
    }),
    Assertion::new(1403, "makes an association with each integrity algorithm that it lists", READY, |bench| {
        each(bench, AlgorithmType::Integrity, |preferences, known| {
            preferences.integrity = vec![known.identifier];
            let is_combined = |identifier: u32| {
                let row = algorithm::find(AlgorithmType::Encryption, identifier);
                row.and_then(algorithm::Algorithm::encryption_sizes).is_some_and(|sizes| sizes.icv != 0)
            };
            let wants_combined = known.identifier == algorithm::INTEG_NONE;
            preferences.encryption.retain(|(identifier, _)| is_combined(*identifier) == wants_combined);
        })
    }),
    Assertion::new(1404, "makes an association with each Diffie-Hellman group that it lists", READY, |bench| {
        each(bench, AlgorithmType::DiffieHellman, |preferences, known| {
            preferences.group = vec![known.identifier];
        })
    }),
    Assertion::new(
        1405,
        "authenticates itself by each algorithm that it lists for that",
        ["7.7.4.11.1.5 (R18)", "7.7.3.6.6"],
        |bench| {
            each(bench, AlgorithmType::Authentication, |preferences, known| {
                preferences.authentication = vec![known.identifier];
            })
        },
    ),
    Assertion::new(
        1406,
        "accepts each way to authenticate that it lists for application clients",
        ["7.7.4.11.1.5 (R18)", "7.7.3.6.6"],
        |bench| {
            let profile = bench.profile();
            let mut tried = Vec::new();
            for descriptor in listed(bench)?.iter().filter(|d| d.algorithm_type == 0xF9) {
                let Some(known) = descriptor.known(profile) else { continue };
                if known.identifier == algorithm::IKE_AUTH_NONE || (bench.is_r3() && !descriptor.accept()) {
                    continue;
                }
                let begun = bench.begin_on(FIRST, |builder| builder.own_methods(&[known.identifier]));
                if ended(begun, bench)? {
                    tried.push(known.identifier);
                }
            }
            some(&tried)
        },
    ),
];

/// An exchange with each algorithm of one type.
fn each(bench: &mut Bench<'_, '_>, kind: AlgorithmType, set: impl Fn(&mut Preferences, &Descriptor)) -> Ended {
    let profile = bench.profile();
    let mut tried = Vec::new();
    for descriptor in listed(bench)? {
        let of_type = algorithm::numbered_type(profile, descriptor.algorithm_type).map(|known| known.algorithm_type);
        let Some(known) = descriptor.known(profile).filter(|_| of_type == Some(kind)) else { continue };
        // SPC-4 has a type of its own for what application clients use.
        let is_of_clients = !bench.is_r3() && descriptor.algorithm_type == 0xF9;
        let is_none = kind == AlgorithmType::Authentication && known.identifier == algorithm::IKE_AUTH_NONE;
        if is_of_clients || is_none || (bench.is_r3() && kind == AlgorithmType::Authentication && !descriptor.may_use())
        {
            continue;
        }
        let mut preferences = Preferences::strongest_first(&bench.subject.provider);
        set(&mut preferences, &known);
        let begun = bench.begin_on(FIRST, |builder| builder.preferences(preferences));
        if ended(begun, bench)? {
            tried.push(known.identifier);
        }
    }
    some(&tried)
}

/// Whether an exchange could be begun; then it comes to its end, and its association is deleted.
fn ended(begun: Result<Exchange, Stop>, bench: &mut Bench<'_, '_>) -> Result<bool, Stop> {
    let mut exchange = match begun {
        Ok(exchange) => exchange,
        // The application client has no such algorithm or no such key.
        Err(Stop::Broken(_) | Stop::Skipped(_)) => return Ok(false),
        Err(failed) => return Err(failed),
    };
    match bench.peek(&mut exchange) {
        Ok(_) => {}
        Err(Stop::Skipped(_)) => return Ok(false),
        Err(other) => return Err(other),
    }
    bench.finish(&mut exchange)?;
    let list = bench.delete_of(&exchange)?;
    bench.delete(FIRST, &list)?.good("the Delete")?;
    Ok(true)
}

fn some(tried: &[u32]) -> Ended {
    if tried.is_empty() {
        return Err(Stop::skipped("the application client has none of them"));
    }
    Ok(())
}
