//! Exchanges that succeed, and what they make (SPC-4 5.14.4).

use super::client::{COMBINED_SUITE, NO_AUTH, SEPARATE_SUITE};
use super::*;

#[test]
fn both_suites_with_and_without_authentication() {
    for suite in [COMBINED_SUITE, SEPARATE_SUITE] {
        for auth in [suite.auth, [NO_AUTH; 2]] {
            let mut bench = Bench::new();
            bench.establish(A, suite.with_auth(auth), 0x1234_5678);
        }
    }
}

/// SPC-4 5.14.4.3.2: shared keys of 64 bytes of ASCII and more are taken as they are, without a terminator.
#[test]
fn shared_keys_of_64_bytes_and_more() {
    for length in [1, 63, 64, 65, 300] {
        let secret = vec![b'k'; length];
        let mut keys = MemoryKeys::new();
        keys.set_own(Secret::copy_of(b"drive's key")).unwrap();
        keys.add_peer(Identity::key_id(b"host").as_payload(), Secret::copy_of(&secret)).unwrap();
        let keys = Arc::new(keys);
        for (key, is_good) in [(secret.clone(), true), ([secret.as_slice(), &[0]].concat(), false)] {
            let mut bench = Bench::with(|builder| builder.preshared_keys(keys.clone()));
            let mut client = bench.after(A, COMBINED_SUITE, 0x1000, 2);
            client.key = key;
            let (reply, _) = bench.send(A, Command::AuthenticationOut, &client.authentication_out());
            assert_eq!(matches!(reply, Reply::Good { .. }), is_good, "{length}");
        }
    }
}
