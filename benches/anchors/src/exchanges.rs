//! Whole exchanges of a device server, beside the sum of the cryptography that they need.

use ikev2_scsi::Profile;

use crate::allocations;
use crate::aws;
use crate::bare::bare;
use crate::exchange::Exchange;
use crate::harness::{Comparison, Effort};
use crate::provider::Provider;
use crate::suite::Suite;

/// The suites that are measured: what each dialect makes mandatory, and the fast ones.
const SUITES: &[(Profile, &str)] = &[
    (Profile::R3, "mandatory"),
    (Profile::R3, "gcm-128-sha256-ecp256-psk"),
    (Profile::R3, "gcm-256-sha384-ecp384-psk"),
    (Profile::R3, "gcm-128-sha256-ecp256-ecdsa256"),
    (Profile::R3, "client-ecdsa256-server-psk"),
    (Profile::R3, "rsa-chain-certreq"),
    (Profile::SPC4, "cbc128-sha1-modp2048-psk"),
    (Profile::SPC4, "client-ecdsa256-server-psk"),
    (Profile::SPC4, "table82-row1"),
    (Profile::SPC4, "table82-row2"),
];

/// Lines `exchange,<dialect>/<suite>,<provider>,<ns>,<sum of its cryptography, ns>,<ratio>,<allocations>,<of these in the cryptography>`,
/// and where AWS-LC was called directly `aws-lc,<dialect>/<suite>,<ns>,<ratio of the exchange>`.
pub(crate) fn run(effort: Effort, only: &str) {
    for (profile, name) in SUITES {
        let suite = Suite::find(*profile, name).unwrap_or_else(|| panic!("no suite {name}"));
        let dialect = if *profile == Profile::SPC4 { "SPC-4" } else { "r3" };
        for provider in [Provider::RustCrypto, Provider::AwsLc] {
            if !format!("{dialect}/{name},{}", provider.name()).contains(only) {
                continue;
            }
            let mut exchange = Exchange::record(suite, provider);
            let mut sum = bare(&exchange);
            let direct = (provider == Provider::AwsLc).then(|| aws::direct(&exchange)).flatten();
            exchange.run();
            let whole = allocations::of(|| exchange.run());
            let in_sum = allocations::of(&mut sum);
            let mut comparison = Comparison::new(effort);
            comparison.add("sum", sum);
            comparison.add("exchange", || exchange.run());
            let has_direct = direct.is_some();
            if let Some(direct) = direct {
                comparison.add("direct", direct);
            }
            let times = comparison.run();
            let (sum, exchange) = (&times[0], &times[1]);
            println!(
                "exchange,{dialect}/{name},{},{:.0},{:.0},{:.3},{whole},{in_sum}",
                provider.name(),
                exchange.nanoseconds(),
                sum.nanoseconds(),
                exchange.ratio(sum)
            );
            if has_direct {
                let direct = &times[2];
                println!("aws-lc,{dialect}/{name},{:.0},{:.3}", direct.nanoseconds(), exchange.ratio(direct));
            }
        }
    }
}
