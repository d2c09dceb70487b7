//! Tables of targets. Those of root paths are RFC 4173's sentences and examples.

use super::*;
use TargetErrorKind as Kind;

fn iscsi(text: &str) -> IscsiTarget {
    match text.parse() {
        Ok(Target::Iscsi(target)) => target,
        other => panic!("{text}: {other:?}"),
    }
}

fn refused(text: &str) -> (usize, Kind) {
    let error = text.parse::<Target>().expect_err(text);
    (error.at, error.kind)
}

/// RFC 4173 5: the defaults of blank fields, servers of each kind, colons inside the target name.
#[test]
fn root_paths() {
    let name = "iqn.1992-01.com.example:storage.disk2.sys1";
    for (path, host, port, lun) in [
        ("iscsi:192.0.2.7:6:3260:0:", "192.0.2.7", 3260, 0),
        ("iscsi:192.0.2.7::::", "192.0.2.7", 3260, 0),
        ("iscsi:boot.example.com:::1:", "boot.example.com", 3260, 1),
        ("iscsi:boot.example.com:6:13260:ff:", "boot.example.com", 13260, 255),
        ("iscsi:[2001:db8::7]:6:860:0010:", "2001:db8::7", 860, 16),
        ("iscsi:[2001:db8::7]::::", "2001:db8::7", 3260, 0),
    ] {
        let target = iscsi(&format!("{path}{name}"));
        assert_eq!((target.host.as_str(), target.port, target.name.as_str()), (host, port, name), "{path}");
        assert_eq!(target.lun.first_level(), Some(lun), "{path}");
        assert!(target.chap.is_none() && target.target_chap.is_none());
    }
}

/// RFC 4173 5, its examples of the LUN field.
#[test]
fn luns_of_root_paths() {
    for (text, bytes) in [
        ("", [0; 8]),
        ("0", [0; 8]),
        ("4752-3A4F-6b7e-2F99", [0x47, 0x52, 0x3A, 0x4F, 0x6B, 0x7E, 0x2F, 0x99]),
        ("6734-9-156f-127", [0x67, 0x34, 0x00, 0x09, 0x15, 0x6F, 0x01, 0x27]),
        ("6734-0009-156f-0127", [0x67, 0x34, 0x00, 0x09, 0x15, 0x6F, 0x01, 0x27]),
        ("4186-9", [0x41, 0x86, 0x00, 0x09, 0, 0, 0, 0]),
        ("0-1", [0, 0, 0, 1, 0, 0, 0, 0]),
    ] {
        assert_eq!(Lun::from_groups(text, 0).unwrap().0, bytes, "{text}");
        assert_eq!(iscsi(&format!("iscsi:host:::{text}:iqn.x")).lun.0, bytes, "{text}");
    }
    assert_eq!(Lun([0x67, 0x34, 0, 9, 0x15, 0x6F, 1, 0x27]).to_string(), "6734-0009-156f-0127");
    // No other concise representations: five digits, empty groups, five groups, signs, other dividers.
    for (text, at) in [
        ("12345", 0),
        ("1-", 2),
        ("-1", 0),
        ("1--2", 2),
        ("1-2-3-4-5", 8),
        ("+1", 0),
        ("0x1", 0),
        ("1.2", 0),
        ("1-g", 2),
    ] {
        assert_eq!(refused(&format!("iscsi:h:::{text}:iqn.x")), (10 + at, Kind::LunGroups), "{text}");
    }
}

#[test]
fn wrong_root_paths_tell_where() {
    for (text, at, kind) in [
        ("iscsi:", 6, Kind::MissingField),
        ("iscsi:host", 10, Kind::MissingField),
        ("iscsi:host:6:3260:0", 19, Kind::MissingField),
        ("iscsi:host:6:3260:0:", 20, Kind::NoName),
        ("iscsi::6:3260:0:iqn.x", 6, Kind::Discovery),
        ("iscsi:host:17:3260:0:iqn.x", 11, Kind::Protocol),
        ("iscsi:host:tcp:3260:0:iqn.x", 11, Kind::Protocol),
        ("iscsi:host:6:0:0:iqn.x", 13, Kind::Port),
        ("iscsi:host:6:65536:0:iqn.x", 13, Kind::Port),
        ("iscsi:host:6:+1:0:iqn.x", 13, Kind::Port),
        ("iscsi:ho st:6:1:0:iqn.x", 8, Kind::Server),
        ("iscsi:[2001:db8::g]:6:1:0:iqn.x", 6, Kind::Server),
        ("iscsi:[2001:db8::1:6:1:0:iqn.x", 6, Kind::Server),
        ("iscsi:host:6:1:0:iqn.x/y", 22, Kind::Name),
        ("iscsi:host:6:1:0:iqn.x y", 22, Kind::Name),
    ] {
        assert_eq!(refused(text), (at, kind), "{text}");
    }
    let long = format!("iscsi:host:6:1:0:iqn.{}", "x".repeat(220));
    assert_eq!(refused(&long), (17 + 223, Kind::TooLong));
    let error = "iscsi:host:6:0:0:iqn.x".parse::<Target>().unwrap_err();
    assert_eq!(error.to_string(), "target, character 14: a port is a decimal number from 1 to 65535");
}

#[test]
fn urls() {
    let target = iscsi("iscsi://127.0.0.1:13260/iqn.2025-01.test:t1/1");
    assert_eq!((target.host.as_str(), target.port, target.name.as_str()), ("127.0.0.1", 13260, "iqn.2025-01.test:t1"));
    assert_eq!((target.lun.number(), target.chap, target.target_chap), (Some(1), None, None));
    assert_eq!(iscsi("iscsi://host/iqn.test%3A1234/0").name, "iqn.test:1234");
    let target = iscsi("iscsi://[2001:db8::1]/iqn.x/300?header_digest=crc32c");
    assert_eq!((target.host.as_str(), target.port, target.header_digest), ("2001:db8::1", 3260, true));
    // Flat space addressing from 256 on (SAM-4 4.6.8).
    assert_eq!((target.lun.0[0], target.lun.0[1], target.lun.number()), (0x41, 0x2C, Some(300)));
    assert_eq!(target.portal(), "[2001:db8::1]:3260");
}

#[test]
fn chap_in_urls() {
    let chap = |user: &str, password: &str| {
        Some(Chap { user: user.to_owned(), password: Secret::copy_of(password.as_bytes()) })
    };
    let target = iscsi("iscsi://ronnie%pass%w@rd@host:1/iqn.x/0?target_user=t&target_password=u");
    assert_eq!((target.chap, target.target_chap), (chap("ronnie", "pass%w@rd"), chap("t", "u")));
    assert_eq!(iscsi("iscsi://ronnie%@host/iqn.x/0").chap, chap("ronnie", ""));
    // Neither Debug nor Display shows a password.
    let target: Target = "iscsi://ronnie%sesame@host:1/iqn.x/0?target_user=t&target_password=sesame".parse().unwrap();
    assert!(!format!("{target:?} {target}").contains("sesame"));
    assert_eq!(target.to_string(), "iscsi://host:1/iqn.x/0");
}

#[test]
fn wrong_urls_tell_where() {
    for (text, at, kind) in [
        ("iscsi://host", 12, Kind::NoName),
        ("iscsi:///iqn.x/0", 8, Kind::NoServer),
        ("iscsi://host/iqn.x", 18, Kind::NoLun),
        ("iscsi://host/iqn.x/", 19, Kind::NoLun),
        ("iscsi://host//0", 13, Kind::NoName),
        ("iscsi://host/iqn.x/16384", 19, Kind::Lun),
        ("iscsi://host/iqn.x/-1", 19, Kind::Lun),
        ("iscsi://host/iqn.x/1f", 19, Kind::Lun),
        ("iscsi://host:/iqn.x/0", 13, Kind::Port),
        ("iscsi://host:x/iqn.x/0", 13, Kind::Port),
        ("iscsi://user@host/iqn.x/0", 12, Kind::HalfOfChap),
        ("iscsi://%p@host/iqn.x/0", 8, Kind::NoUser),
        ("iscsi://u%p@ho_st/iqn.x/0", 14, Kind::Server),
        ("iscsi://host/iqn%zz.x/0", 16, Kind::Escape),
        ("iscsi://host/iqn.x%4/0", 18, Kind::Escape),
        ("iscsi://host/iqn.x/0?speed=fast", 21, Kind::Argument),
        ("iscsi://host/iqn.x/0?iser", 21, Kind::Iser),
        ("iscsi://u%p@host/iqn.x/0?target_user=t", 25, Kind::HalfOfChap),
        ("iscsi://host/iqn.x/0?target_user=t&target_password=u", 21, Kind::OneWayChap),
        ("iser://host/iqn.x/0", 0, Kind::Iser),
        ("http://host/iqn.x/0", 0, Kind::Unknown),
        ("sg3", 0, Kind::Unknown),
        ("", 0, Kind::Unknown),
    ] {
        assert_eq!(refused(text), (at, kind), "{text}");
    }
}

#[test]
fn devices() {
    for path in ["/dev/sg3", "./sg", "dev/sg3"] {
        assert_eq!(path.parse(), Ok(Target::Device(PathBuf::from(path))));
        assert_eq!(path.parse::<Target>().unwrap().to_string(), path);
    }
}

/// What is shown of a target reads the same again.
#[test]
fn shown_and_read_again() {
    for text in [
        "iscsi://127.0.0.1:13260/iqn.x:y/1",
        "iscsi://[2001:db8::1]:3260/iqn.x/300?header_digest=crc32c",
        "iscsi:[2001:db8::1]:6:3260:4752-3a4f-6b7e-2f99:iqn.x:y",
        "iscsi:host:6:3260:8001-0000-0000-0000:iqn.x:y",
    ] {
        assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
    }
}

/// Every truncation, and every byte replaced: an error has a place in the text, and what is accepted is shown so that it reads
/// the same again (but for passwords, which are not shown).
#[test]
fn damaged_targets_are_refused_or_mean_what_is_shown() {
    let good = [
        "iscsi://u%p@[2001:db8::1]:860/iqn.x%3Ay/300?target_user=t&target_password=u&header_digest=crc32c",
        "iscsi:[2001:db8::1]:6:3260:6734-9-156f-127:iqn.x:y",
        "iscsi:host::::iqn.x",
        "/dev/sg3",
    ];
    let (mut refused, mut accepted) = (0, 0);
    for text in good {
        let truncated = (0..text.len()).map(|end| text[..end].to_owned());
        let replaced = (0..text.len()).flat_map(|at| {
            let others = ":/%@[]-?&=0g \u{e9}\0".chars();
            others.map(move |other| format!("{}{other}{}", &text[..at], &text[at + 1..]))
        });
        for damaged in truncated.chain(replaced) {
            match damaged.parse::<Target>() {
                Err(error) => {
                    assert!(error.at <= damaged.len(), "{damaged:?}: {error}");
                    refused += 1;
                }
                Ok(target) => {
                    let shown: Target = target.to_string().parse().unwrap();
                    assert_eq!(shown.to_string(), target.to_string(), "{damaged:?}");
                    if let (Target::Iscsi(target), Target::Iscsi(shown)) = (target, shown) {
                        let where_it_is = |it: IscsiTarget| (it.host, it.port, it.name, it.lun, it.header_digest);
                        assert_eq!(where_it_is(target), where_it_is(shown), "{damaged:?}");
                    }
                    accepted += 1;
                }
            }
        }
    }
    assert!(refused > 500 && accepted > 300, "{refused} refused, {accepted} accepted");
}
