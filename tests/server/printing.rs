//! What the device server, its configuration and its jobs print: enough to tell them apart, and no secret.

use super::jobs::offloading;
use super::*;

/// No text holds the shared keys, however printed.
fn assert_no_key(text: &str) {
    for key in [b"drive's key".as_slice(), b"key 0", b"key 1"] {
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let forms = [String::from_utf8_lossy(key).into_owned(), format!("{key:?}"), hex];
        assert!(forms.iter().all(|form| !text.contains(form)), "{text}");
    }
}

#[test]
fn a_device_server_tells_what_it_keeps_and_no_key() {
    let mut unit = Unit::new(|builder| {
        let text = format!("{builder:?}");
        assert!(text.contains("Builder") && text.contains("max_protocol_timeout: 60"), "{text}");
        assert_no_key(&text);
        builder
    });
    unit.establish(A, &Host::first());
    unit.client_before(B, &Host::second(), 2);
    let text = format!("{:?}", unit.server);
    assert!(text.contains("sequences: 2, sas: 1, held: 0"), "{text}");
    assert_no_key(&text);
}

/// Private values, AUTHENTICATION DATA and the octets that are signed are secret or as good as secret.
#[test]
fn a_job_tells_what_it_is() {
    let mut unit = offloading();
    let mut client = Host::first().client();
    let mut printed = Vec::new();
    for _ in 0..5 {
        let command = client.next_command(&mut unit.random).unwrap();
        let (mut reply, mut data_in) = unit.command(A, &command);
        while let Some(job) = unit.server.poll_job() {
            printed.push(format!("{job:?}"));
            let (mut late, now) = (vec![0; 4096], unit.instant());
            let done = job.run();
            printed.push(format!("{done:?}"));
            if let Some((_, held)) = unit.server.complete(done, &mut late, now) {
                (reply, data_in) = (held, late);
            }
        }
        let Reply::Good { len } = reply else { panic!("{reply:?}") };
        client.reply(Status::Good(&data_in[..len])).unwrap();
    }
    let [key_exchange, _, verify, _, sign, _] = printed.as_slice() else { panic!("{printed:?}") };
    assert!(key_exchange.contains("KeyExchangeWork(DhGroup("), "{key_exchange}");
    assert!(verify.contains("PeerCheck(") && verify.contains("method 2)"), "{verify}");
    assert!(sign.contains("OwnAuth"), "{sign}");
    for text in &printed {
        assert_no_key(text);
    }
}
