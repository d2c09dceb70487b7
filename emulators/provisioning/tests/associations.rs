//! Two provisionings make a device server and an application client that create an association with each other.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use ikev2_scsi::wire::IdType;
use ikev2_scsi::{Profile, provider};
use ikev2_scsi_provisioning::Provisioning;
use support::{associate, example, write_keys};

#[test]
fn shared_keys_in_both_dialects() {
    for dialect in ["r3", "spc4"] {
        let (server, client) = (example(&format!("{dialect}-server.toml")), example(&format!("{dialect}-client.toml")));
        assert_eq!(server.profile(), if dialect == "r3" { Profile::R3 } else { Profile::SPC4 });
        let parameters = associate(&server, &client).unwrap();
        // Nothing else was asked for: the strongest of everything, and 3600 seconds.
        let encr = if dialect == "r3" { 0x14 } else { 0x8001_0014 };
        assert_eq!((parameters.mgmt_data.encr, parameters.mgmt_data.key_length), (encr, 32));
        assert_eq!(parameters.timeout, 3600);
    }
    assert!(associate(&example("r3-server.toml"), &example("spc4-client.toml")).is_err());
}

#[test]
fn a_file_of_json_does_as_one_of_toml() {
    associate(&example("spc4-server.json"), &example("spc4-client.toml")).unwrap();
}

fn signing(side: &str, peer: &str, kind: &str, trust: &str, rest: &str) -> String {
    format!(
        "{rest}\n{trust}\n[own]\nidentity = {{ type = \"key_id\", text = \"{side}\" }}\n\
         [[own.credential]]\nkey = \"{side}-{kind}.pem\"\n{}\n\
         [[peer]]\nidentity = {{ type = \"key_id\", text = \"{peer}\" }}\npublic_key = \"{peer}-{kind}.pub\"\n",
        if trust.is_empty() { String::new() } else { format!("certificates = [\"{side}-{kind}.crt\"]") },
    )
}

/// Keys known beforehand, and chains to an authority, of every kind of key; SPC-4's table 82 has a row for two of them.
#[test]
fn signatures_of_every_kind_in_both_dialects() {
    let base = write_keys("signatures");
    let chains = "trust = { anchors = [\"ca.crt\"], revocation = \"off\" }";
    for (dialect, kinds) in [("r3", &["rsa", "p256", "p384", "p521"][..]), ("spc4", &["rsa", "p521"])] {
        for kind in kinds {
            for trust in ["", chains] {
                let profile = format!("profile = \"{dialect}\"");
                let server = signing("server", "client", kind, trust, &profile);
                let client = signing("client", "server", kind, trust, &profile);
                let server = Provisioning::from_toml(&server, &base).unwrap();
                let client = Provisioning::from_toml(&client, &base).unwrap();
                associate(&server, &client).unwrap_or_else(|error| panic!("{dialect} {kind} {trust}: {error}"));
            }
        }
    }
}

/// A peer that has keys of several kinds signs with either.
#[test]
fn one_peer_may_have_several_keys() {
    let base = write_keys("several");
    let another = "[[peer]]\nidentity = { type = \"key_id\", text = \"client\" }\npublic_key = \"client-rsa.pub\"\n";
    let server = signing("server", "client", "p256", "", "") + another;
    let server = Provisioning::from_toml(&server, &base).unwrap();
    for own in ["p256", "rsa", "p384"] {
        let client =
            signing("client", "server", "p256", "", "").replace("client-p256.pem", &format!("client-{own}.pem"));
        let client = Provisioning::from_toml(&client, &base).unwrap();
        assert_eq!(associate(&server, &client).is_ok(), own != "p384", "{own}");
    }
}

/// A certificate's own name is the identity; RSA with SHA-256 where both sides say so.
#[test]
fn certificates_name_their_owner() {
    let base = write_keys("names");
    let file = |side: &str, hashes: &str| {
        format!(
            "[own]\nidentity = {{ type = \"der_asn1_dn\", certificate = \"{side}-rsa.crt\" }}\n\
             [[own.credential]]\nkey = \"{side}-rsa.pem\"\ncertificates = [\"{side}-rsa.crt\"]\nhash = \"sha256\"\n\
             [trust]\nanchors = [\"ca.crt\"]\nrevocation = \"off\"\n{hashes}"
        )
    };
    let read = |text: &str| Provisioning::from_toml(text, &base).unwrap();
    let sha256 = "rsa_hashes = [\"sha256\"]";
    let (server, client) = (read(&file("server", sha256)), read(&file("client", sha256)));
    assert_eq!(server.identity().id_type, IdType::DerAsn1Dn);
    associate(&server, &client).unwrap();
    // SHA-1 is what is accepted unless said otherwise.
    assert!(associate(&read(&file("server", "")), &client).is_err());
    assert!(associate(&server, &read(&file("client", ""))).is_err());
}

#[test]
fn preferences_select() {
    let client = "
        own = { identity = { type = 'key_id', text = 'iqn.2007-04.org.example:host-1' },
                preshared_key = { text = 'demonstration key of host-1, which is known to everybody' } }
        [[peer]]
        identity = { type = 'key_id', text = 'iqn.2007-04.org.example:drive-9' }
        preshared_key = { text = 'demonstration key of drive-9, which is known to everybody' }
        [preferences]
        encryption = ['aes-cbc-128']
        prf = ['hmac-sha1']
        integrity = ['hmac-sha1-96']
        group = ['ecp-256']
        authentication = ['shared-key']
        own_authentication = ['shared-key']
        inactivity_timeout = 99
        protocol_timeout = 5
        nonce_length = 40
        usage = { type = 0x81, data = '0102030405060708' }";
    let client = Provisioning::from_toml(client, "").unwrap();
    let parameters = associate(&example("r3-server.toml"), &client).unwrap();
    assert_eq!((parameters.mgmt_data.encr, parameters.mgmt_data.key_length), (0x0C, 16));
    assert_eq!(parameters.timeout, 99);
    assert_eq!(parameters.ac_nonce().len(), 40);
    assert_eq!(parameters.usage_data(), [1, 2, 3, 4, 5, 6, 7, 8]);
}

/// A provisioning is one end's.
#[test]
fn the_other_end_is_refused() {
    let error = example("r3-server.toml").application_client(provider::provider()).unwrap_err();
    assert_eq!(error.member(), "sense");
    let error = example("r3-client.toml").device_server(provider::provider()).unwrap_err();
    assert_eq!(error.member(), "preferences");
}
