"""Certificates and revocation lists for tests/x509 and src/x509, by the Python package `cryptography` (OpenSSL).

    pip install cryptography==50.0.2
    python3 generate.py

writes certificates.json beside itself; the command `openssl` makes what the package does not: version 1 and SHA-1. The keys are drawn anew by each run and not kept: they protect nothing. Nothing here
shares code with the crate.
"""

import datetime
import ipaddress
import json
import pathlib
import subprocess
import tempfile

import cryptography
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.oid import NameOID

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 1, 1, tzinfo=UTC)
START, END = NOW - datetime.timedelta(days=365), NOW + datetime.timedelta(days=3650)
IPSEC_IKE = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.17")
CURVES = {"p256": (ec.SECP256R1, hashes.SHA256), "p384": (ec.SECP384R1, hashes.SHA384), "p521": (ec.SECP521R1, hashes.SHA512)}

serial = 1000


def key(kind):
    return rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(CURVES[kind][0]())


def digest(private):
    if isinstance(private, rsa.RSAPrivateKey):
        return hashes.SHA256()
    return {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[private.curve.key_size]


def dn(*names):
    kinds = [NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in zip(kinds, names)])


def usage(*on):
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: name in on for name in names})


class Party:
    def __init__(self, name, private, certificate=None):
        self.name, self.private, self.certificate = name, private, certificate

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)


def issue(by, name, private, ca=None, path_length=None, extensions=(), start=START, end=END, hash_=None, basic=True):
    """A certificate by `by`, or a self-signed one. `extensions` are (extension, critical)."""
    global serial
    serial += 1
    issuer = by or Party(name, private)
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer.name).public_key(private.public_key())
               .serial_number(serial).not_valid_before(start).not_valid_after(end))
    if basic:
        builder = builder.add_extension(x509.BasicConstraints(bool(ca), path_length), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(issuer.private, hash_ or digest(issuer.private))
    return Party(name, private, certificate)


CA_USE = (usage("key_cert_sign", "crl_sign"), True)
LEAF_USE = (usage("digital_signature"), True)


def ca(by, name, kind="p256", path_length=None, extensions=(CA_USE,), **more):
    return issue(by, name, key(kind), True, path_length, extensions, **more)


def leaf(by, name, kind="p256", extensions=(LEAF_USE,), private=None, **more):
    return issue(by, name, private or key(kind), False, None, extensions, **more)


def crl(by, revoked=(), start=START, end=END, private=None, extensions=()):
    builder = (x509.CertificateRevocationListBuilder().issuer_name(by.name).last_update(start).next_update(end)
               .add_extension(x509.CRLNumber(1), False))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    for party in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(party.certificate.serial_number)
            .revocation_date(start + datetime.timedelta(days=1)).build())
    private = private or by.private
    return builder.sign(private, digest(private)).public_bytes(serialization.Encoding.DER)


cases = []


def case(name, why, anchors, chain, expect="ok", lists=(), kind=None, identity=None, **more):
    """`chain` is what CERT payloads carry, the leaf first."""
    der = lambda what: (what.der if isinstance(what, Party) else what).hex()
    first = chain[0]
    if kind is None:
        public = first.certificate.public_key()
        kind = "rsa" if isinstance(public, rsa.RSAPublicKey) else f"p{public.curve.key_size}"
    if identity is None:
        identity = (9, first.certificate.subject.public_bytes())
    cases.append({"name": name, "why": why, "anchors": [der(a) for a in anchors], "chain": [der(c) for c in chain],
                  "lists": [der(l) for l in lists], "kind": kind, "id_type": identity[0], "id": identity[1].hex(),
                  "expect": expect, **more})


def general_name(name):
    """One GeneralName in DER: the content of a subjectAltName extension with that name alone."""
    der = x509.SubjectAlternativeName([name]).public_bytes()
    content = der[2:] if der[1] < 0x80 else der[2 + (der[1] & 0x7F):]
    return content


def plain():
    for kind in ["rsa", "p256", "p384", "p521"]:
        root = ca(None, dn("Test", f"{kind} root"), kind)
        first = ca(root, dn("Test", f"{kind} intermediate 1"), kind)
        second = ca(first, dn("Test", f"{kind} intermediate 2"), kind)
        end = leaf(second, dn("Test", f"{kind} leaf"), kind)
        direct = leaf(root, dn("Test", f"{kind} direct"), kind)
        lists = [crl(root), crl(first), crl(second)]
        case(f"{kind}-direct", "a leaf under the root", [root], [direct])
        case(f"{kind}-two", "two intermediates in order", [root], [end, second, first], lists=lists)
        case(f"{kind}-two-reversed", "intermediates in the other order", [root], [end, first, second])
        case(f"{kind}-root-sent", "the trust anchor is sent too, and a certificate twice", [root],
             [end, first, root, second, second])
        case(f"{kind}-missing", "an intermediate is missing", [root], [end, second], "Untrusted")
        case(f"{kind}-intermediate-anchor", "an intermediate is the trust anchor", [second], [end])
        rogue = ca(None, root.name, kind)
        forged = leaf(rogue, dn("Test", f"{kind} leaf"), kind)
        case(f"{kind}-rogue", "another root of the same name", [root], [forged], "Untrusted")
        case(f"{kind}-rogue-sent", "another root of the same name, sent along", [root], [forged, rogue], "Untrusted")
        case(f"{kind}-namesakes", "two anchors of one name, the second has signed", [rogue, root], [end, second, first])
        case(f"{kind}-list-leaf", "the leaf is revoked", [root], [end, second, first], "Revoked",
             [crl(root), crl(first), crl(second, [end])])
        case(f"{kind}-list-intermediate", "an intermediate is revoked", [root], [end, second, first], "Revoked",
             [crl(root), crl(first, [second]), crl(second)])
    mixed = ca(None, dn("Test", "mixed root"), "p521")
    middle = ca(mixed, dn("Test", "mixed intermediate"), "rsa")
    case("mixed", "P-521 signs RSA signs P-384", [mixed], [leaf(middle, dn("Test", "mixed leaf"), "p384"), middle])
    for kind in ["rsa", "p256"]:
        root = ca(None, dn("Test", f"{kind} wide root"), kind)
        for name, hash_ in [("sha384", hashes.SHA384()), ("sha512", hashes.SHA512())]:
            case(f"{kind}-{name}", "a hash that is not the key's own", [root],
                 [leaf(root, dn("Test", f"{kind} {name}"), kind, hash_=hash_)], "ok")


ROOT = ca(None, dn("Test", "root"))
INTERMEDIATE = ca(ROOT, dn("Test", "intermediate"))
DAY = datetime.timedelta(days=1)


def validity():
    case("leaf-expired", "", [ROOT], [leaf(ROOT, dn("Test", "old"), end=NOW - DAY)], "NotValidNow")
    case("leaf-early", "", [ROOT], [leaf(ROOT, dn("Test", "new"), start=NOW + DAY)], "NotValidNow")
    old = ca(ROOT, dn("Test", "old intermediate"), end=NOW - DAY)
    case("intermediate-expired", "", [ROOT], [leaf(old, dn("Test", "leaf")), old], "NotValidNow")
    anchor = ca(None, dn("Test", "old root"), end=NOW - DAY)
    case("anchor-expired", "an anchor's own validity is not looked at", [anchor], [leaf(anchor, dn("Test", "leaf"))])
    last = leaf(ROOT, dn("Test", "to the second"), start=NOW, end=NOW)
    case("leaf-one-second", "valid from and to this very second", [ROOT], [last])


def uses():
    def with_eku(name, *purposes, **more):
        return leaf(ROOT, dn("Test", name), extensions=[LEAF_USE, (x509.ExtendedKeyUsage(purposes), False)], **more)
    case("eku-server", "for web servers only", [ROOT], [with_eku("eku", EKU.SERVER_AUTH)], "WrongUse", policy="server")
    case("eku-client", "for web clients only", [ROOT], [with_eku("eku", EKU.CLIENT_AUTH)], "WrongUse", policy="client")
    case("eku-old", "the withdrawn IPsec purposes of RFC 2459", [ROOT],
         [with_eku("eku", *[x509.ObjectIdentifier(f"1.3.6.1.5.5.7.3.{n}") for n in (5, 6, 7)])], "WrongUse")
    case("eku-any", "", [ROOT], [with_eku("eku", EKU.ANY_EXTENDED_KEY_USAGE)])
    case("eku-ike", "", [ROOT], [with_eku("eku", IPSEC_IKE)])
    case("eku-server-ike", "", [ROOT], [with_eku("eku", EKU.SERVER_AUTH, IPSEC_IKE)])
    for name, purpose, expect in [("server", EKU.SERVER_AUTH, "WrongUse"), ("any", EKU.ANY_EXTENDED_KEY_USAGE, "ok"),
                                  ("ike", IPSEC_IKE, "ok")]:
        middle = ca(ROOT, dn("Test", f"{name} intermediate"), extensions=[CA_USE, (x509.ExtendedKeyUsage([purpose]), False)])
        case(f"eku-intermediate-{name}", "of the intermediate", [ROOT], [leaf(middle, dn("Test", "leaf")), middle], expect)
    raw = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), bytes([0x30, 0]))
    case("eku-empty", "for nothing", [ROOT], [leaf(ROOT, dn("Test", "eku"), extensions=[(raw, False)])], "WrongUse")
    for name, bits, expect in [("signature", ["digital_signature"], "ok"), ("repudiation", ["content_commitment"], "ok"),
                               ("encipherment", ["key_encipherment"], "WrongUse"), ("agreement", ["key_agreement"], "WrongUse")]:
        case(f"usage-{name}", "keyUsage of the leaf", [ROOT],
             [leaf(ROOT, dn("Test", name), extensions=[(usage(*bits), True)])], expect)
    case("usage-absent", "no keyUsage", [ROOT], [leaf(ROOT, dn("Test", "absent"), extensions=[])])
    case("basic-absent", "no basicConstraints", [ROOT], [leaf(ROOT, dn("Test", "absent"), basic=False)])
    for name, bits, expect in [("sign", ["key_cert_sign"], "ok"), ("no-sign", ["digital_signature", "crl_sign"], "Constrained")]:
        middle = ca(ROOT, dn("Test", "usage intermediate"), extensions=[(usage(*bits), True)])
        case(f"usage-intermediate-{name}", "keyUsage of the intermediate", [ROOT], [leaf(middle, dn("Test", "leaf")), middle], expect)
    case("leaf-is-ca", "an authority as leaf", [ROOT], [INTERMEDIATE], "WrongUse")
    case("anchor-as-leaf", "the trust anchor itself as leaf", [ROOT], [ROOT], "WrongUse")
    lone = leaf(None, dn("Test", "lone"))
    case("leaf-is-anchor", "a self-signed leaf that is the trust anchor", [lone], [lone])
    case("self-signed", "a self-signed leaf that is not", [ROOT], [lone], "Untrusted")
    fake = leaf(ROOT, dn("Test", "no authority"))
    case("intermediate-no-ca", "a leaf signs", [ROOT], [leaf(fake, dn("Test", "leaf")), fake], "Constrained")
    fake = leaf(ROOT, dn("Test", "no authority 2"), basic=False)
    case("intermediate-no-basic", "a certificate without basicConstraints signs", [ROOT],
         [leaf(fake, dn("Test", "leaf")), fake], "Constrained")
    short = ca(ROOT, dn("Test", "short"), path_length=0)
    longer = ca(short, dn("Test", "longer"))
    case("path-length", "an intermediate below one of path length 0", [ROOT], [leaf(longer, dn("Test", "leaf")), longer, short],
         "Constrained")
    case("path-length-kept", "a leaf below one of path length 0", [ROOT], [leaf(short, dn("Test", "leaf")), short])
    chain = [ROOT]
    for n in range(7):
        chain.insert(0, ca(chain[0], dn("Test", f"deep {n}")))
    case("six-intermediates", "as deep as it goes", [ROOT], [leaf(chain[1], dn("Test", "leaf")), *chain[1:-1]])
    case("seven-intermediates", "one too deep", [ROOT], [leaf(chain[0], dn("Test", "leaf")), *chain[:-1]], "TooMuch")
    for critical, expect in [(True, "Unsupported"), (False, "ok")]:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
        case(f"unknown-{'critical' if critical else 'extension'}", "an extension that nobody knows", [ROOT],
             [leaf(ROOT, dn("Test", "unknown"), extensions=[(extension, critical)])], expect)
    case("wrong-kind", "the AUTH METHOD takes another kind of key", [ROOT], [leaf(ROOT, dn("Test", "leaf"))], "WrongKind", kind="p384")


def names():
    dns, mail = x509.DNSName, x509.RFC822Name
    alternative = lambda *list_: (x509.SubjectAlternativeName(list_), False)
    def under(constraints, *list_, name="leaf"):
        middle = ca(ROOT, dn("Test", "constrained"), extensions=[CA_USE, (constraints, True)])
        return [leaf(middle, dn("Test", name), extensions=[LEAF_USE, alternative(*list_)]), middle]
    permit = lambda *list_: x509.NameConstraints(list_, None)
    case("constraint-dns-obeyed", "", [ROOT], under(permit(dns("example.org")), dns("tape.example.org")))
    case("constraint-dns", "", [ROOT], under(permit(dns("example.org")), dns("tape.example.com")), "Constrained")
    case("constraint-dns-excluded", "", [ROOT],
         under(x509.NameConstraints(None, [dns("example.org")]), dns("tape.example.org")), "Constrained")
    case("constraint-dn", "directory names: violated", [ROOT],
         under(permit(x509.DirectoryName(dn("Other"))), dns("tape.example.org")), "Constrained")
    case("constraint-dn-unsupported", "directory names: obeyed, but not implemented, so refused", [ROOT],
         under(permit(x509.DirectoryName(dn("Test"))), dns("tape.example.org")), "Constrained")
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.99999.2"), b"\x0c\x04tape")
    every = [dns("tape.example.org"), mail("tape@example.org"), x509.UniformResourceIdentifier("urn:tape:9"),
             x509.IPAddress(ipaddress.ip_address("192.0.2.9")), x509.IPAddress(ipaddress.ip_address("2001:db8::9")),
             x509.RegisteredID(x509.ObjectIdentifier("1.3.6.1.4.1.99999.3")), x509.DirectoryName(dn("Test", "other name")), other]
    end = leaf(ROOT, dn("Test", "many names"), extensions=[LEAF_USE, alternative(*every)])
    for name in every:
        case(f"gn-{type(name).__name__}-{name.value if isinstance(name.value, str) else ''}", "one of many names", [ROOT], [end],
             identity=(10, general_name(name)))
    case("gn-other", "a name of somebody else", [ROOT], [end], "IdentityMismatch", identity=(10, general_name(dns("drive.example.org"))))
    case("gn-case", "names are compared octet by octet", [ROOT], [end], "IdentityMismatch", identity=(10, general_name(dns("TAPE.example.org"))))
    case("gn-kind", "the text is right, its kind is not", [ROOT], [end], "IdentityMismatch",
         identity=(10, b"\x86" + general_name(every[0])[1:]))
    case("gn-trailing", "a byte too many", [ROOT], [end], "IdentityMismatch", identity=(10, general_name(every[0]) + b"\0"))
    case("gn-all", "all names at once", [ROOT], [end], "IdentityMismatch", identity=(10, x509.SubjectAlternativeName(every).public_bytes()))
    case("gn-empty", "no identity", [ROOT], [end], "IdentityMismatch", identity=(10, b""))
    case("gn-is-dn", "the subject as alternative name", [ROOT], [end], "IdentityMismatch",
         identity=(10, general_name(x509.DirectoryName(end.name))))
    case("gn-without", "no alternative names", [ROOT], [leaf(ROOT, dn("Test", "none"))], "IdentityMismatch",
         identity=(10, general_name(every[0])))
    subject = end.name.public_bytes()
    case("dn-issuer", "the issuer's name", [ROOT], [end], "IdentityMismatch", identity=(9, ROOT.name.public_bytes()))
    case("dn-trailing", "a byte too many", [ROOT], [end], "IdentityMismatch", identity=(9, subject + b"\0"))
    case("dn-short", "a byte too few", [ROOT], [end], "IdentityMismatch", identity=(9, subject[:-1]))
    case("dn-empty", "no identity", [ROOT], [end], "IdentityMismatch", identity=(9, b""))
    case("dn-is-gn", "an alternative name as subject", [ROOT], [end], "IdentityMismatch", identity=(9, dn("Test", "other name").public_bytes()))
    printable = x509.Name([x509.NameAttribute(a.oid, a.value, x509.name._ASN1Type.PrintableString) for a in end.name])
    case("dn-printable", "the same text as PrintableString", [ROOT], [end], "IdentityMismatch", identity=(9, printable.public_bytes()))
    nobody = leaf(ROOT, x509.Name([]), extensions=[LEAF_USE, (x509.SubjectAlternativeName([every[0]]), True)])
    case("dn-nobody", "an empty subject identifies nobody", [ROOT], [nobody], "IdentityMismatch", identity=(9, bytes([0x30, 0])))
    case("gn-nobody", "an empty subject, and an alternative name", [ROOT], [nobody], identity=(10, general_name(every[0])))
    multi = x509.Name([x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "tape"),
                                                       x509.NameAttribute(NameOID.SERIAL_NUMBER, "9")]),
                       x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tést")])])
    case("dn-multi", "two attributes in one relative name", [ROOT], [leaf(ROOT, multi)])
    wwn = bytes.fromhex("50014380deadbeef")
    case("key-id", "nobody maps it", [ROOT], [end], "IdentityMismatch", identity=(11, b"iqn.2007-04.org.example:client-1"), mapped="ok")
    case("fc-name", "nobody maps it", [ROOT], [end], "IdentityMismatch", identity=(12, wwn), mapped="ok")


def revocation():
    end, sibling = leaf(INTERMEDIATE, dn("Test", "leaf")), leaf(INTERMEDIATE, dn("Test", "sibling"))
    chain = [end, INTERMEDIATE]
    of_root, of_intermediate = crl(ROOT), crl(INTERMEDIATE, [sibling])
    case("list-good", "somebody else is revoked", [ROOT], chain, lists=[of_root, of_intermediate])
    case("list-one-missing", "no list of the intermediate", [ROOT], chain, "RevocationUnknown", [of_root], when_listed="ok")
    case("list-of-nobody", "a list of somebody unrelated", [ROOT], chain, "RevocationUnknown",
         [crl(ca(None, dn("Test", "stranger")))], when_listed="ok")
    case("list-expired", "", [ROOT], chain, "RevocationUnknown", [of_root, crl(INTERMEDIATE, end=NOW - DAY)], when_listed="ok")
    case("list-expired-revoked", "an old list still tells who was revoked", [ROOT], chain, "RevocationUnknown",
         [of_root, crl(INTERMEDIATE, [end], end=NOW - DAY)], when_listed="Revoked")
    case("list-now", "nextUpdate is this very second", [ROOT], chain, "RevocationUnknown",
         [of_root, crl(INTERMEDIATE, end=NOW)], when_listed="ok")
    case("list-forged", "signed by somebody else in the issuer's name", [ROOT], chain, "RevocationUnknown",
         [of_root, crl(INTERMEDIATE, private=key("p256"))], when_listed="RevocationUnknown")
    mute = ca(ROOT, dn("Test", "mute"), extensions=[(usage("key_cert_sign"), True)])
    case("list-no-crl-sign", "an intermediate that may not sign lists", [ROOT], [leaf(mute, dn("Test", "leaf")), mute],
         "RevocationUnknown", [of_root, crl(mute)], when_listed="RevocationUnknown")
    delta = crl(INTERMEDIATE, [end], extensions=[(x509.DeltaCRLIndicator(1), True)])
    for name, list_ in [("delta", delta), ("garbage", b"\x30\x03\x02\x01\x00"), ("empty", b""), ("trailing", of_root + b"\0"),
                        ("certificate", ROOT.der)]:
        case(f"list-{name}", "cannot be read or is not understood", [ROOT], chain, "BuildError", [list_], when_listed="BuildError")


def hostile():
    a_name, b_name, a, b = dn("Test", "loop a"), dn("Test", "loop b"), key("p256"), key("p256")
    a_by_b, b_by_a = issue(Party(b_name, b), a_name, a, True), issue(Party(a_name, a), b_name, b, True)
    end = leaf(a_by_b, dn("Test", "leaf"))
    case("loop", "A signs B and B signs A", [ROOT], [end, a_by_b, b_by_a], "Untrusted")
    cross = issue(ROOT, b_name, b, True)
    case("loop-with-exit", "the same, and the root signs B", [ROOT], [end, a_by_b, b_by_a, cross])
    one = dn("Test", "all the same")
    names_sake = [issue(Party(one, key("p256")), one, key("p256"), True) for _ in range(15)]
    case("fifteen-namesakes", "each might be the issuer of each", [ROOT], [leaf(names_sake[0], dn("Test", "leaf")), *names_sake], "TooMuch")
    in_root_name = [issue(Party(ROOT.name, key("p256")), ROOT.name, key("p256"), True) for _ in range(15)]
    case("fifteen-in-the-root-name", "each might be signed by the root", [ROOT], [leaf(in_root_name[0], dn("Test", "leaf")), *in_root_name],
         "TooMuch")
    end = leaf(INTERMEDIATE, dn("Test", "leaf"))
    strangers = [leaf(None, dn("Test", f"stranger {n}")) for n in range(14)]
    case("sixteen", "fourteen that have nothing to do with it", [ROOT], [end, *strangers, INTERMEDIATE])
    case("seventeen", "one too many", [ROOT], [end, *strangers, INTERMEDIATE, ROOT], "TooMuch")
    case("a-hundred", "", [ROOT], [end, INTERMEDIATE, *[strangers[n % 14] for n in range(98)]], "TooMuch")
    big = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.4"), bytes(15_800))
    case("big", "nearly 16 KiB", [ROOT], [leaf(ROOT, dn("Test", "big"), extensions=[(big, False)])])


def by_openssl(by, subject, private, digest_, version3):
    """A certificate as the command `openssl x509` makes it; without extensions it is of version 1."""
    global serial
    serial += 1
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: f"{folder}/{name}"
        def pem(name, private):
            pathlib.Path(path(name)).write_bytes(private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True)
        pem("key", private)
        run("req", "-new", "-key", path("key"), "-subj", subject, "-out", path("request"))
        words = ["x509", "-req", "-in", path("request"), f"-{digest_}", "-days", "3650", "-set_serial", str(serial), "-outform", "DER",
                 "-out", path("certificate")]
        if by is None:
            words += ["-signkey", path("key")]
        else:
            pem("by", by.private)
            pathlib.Path(path("issuer")).write_bytes(by.certificate.public_bytes(serialization.Encoding.PEM))
            words += ["-CA", path("issuer"), "-CAkey", path("by")]
        if version3:
            pathlib.Path(path("extensions")).write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n")
            words += ["-extfile", path("extensions")]
        run(*words)
        certificate = x509.load_der_x509_certificate(pathlib.Path(path("certificate")).read_bytes())
    return Party(certificate.subject, private, certificate)


def old():
    # The command begins validity now, so these are judged later than the others.
    later = {"at": int((datetime.datetime.now(UTC) + DAY).timestamp())}
    for kind in ["rsa", "p256"]:
        root = ca(None, dn("Test", f"{kind} old root"), kind)
        weak = by_openssl(root, "/O=Test/CN=weak", key(kind), "sha1", True)
        case(f"{kind}-sha1", "signed with SHA-1", [root], [weak], "Unsupported", **later)
    first = by_openssl(None, "/O=Test/CN=version 1", key("rsa"), "sha1", False)
    case("v1-anchor", "a trust anchor of version 1, which signs itself with SHA-1", [first], [leaf(first, dn("Test", "leaf"))], **later)
    case("v1-leaf", "a leaf of version 1", [ROOT], [by_openssl(ROOT, "/O=Test/CN=one", key("p256"), "sha256", False)], "Unsupported", **later)


plain()
old()
validity()
uses()
names()
revocation()
hostile()

out = {
    "origin": f"vectors/certificates/generate.py, Python cryptography {cryptography.__version__}",
    "at": int(NOW.timestamp()),
    "cases": cases,
}
# Certificates stand in many cases: each is written once.
pool = {}
for one in cases:
    for member in ("anchors", "chain", "lists"):
        one[member] = [pool.setdefault(der, len(pool)) for der in one[member]]
out["der"] = list(pool)
path = pathlib.Path(__file__).with_name("certificates.json")
lines = [json.dumps(case) for case in out.pop("cases")]
head = json.dumps({k: v for k, v in out.items() if k != "der"})[:-1]
path.write_text(head + ',\n"der": [\n' + ",\n".join(json.dumps(d) for d in out["der"]) + '\n],\n"cases": [\n' + ",\n".join(lines) + "\n]}\n")
print(len(cases), "cases,", len(pool), "objects,", path.stat().st_size, "bytes")
