"""Provisioning files: reads those of an application client, and makes pairs for both ends with keys of their own."""
import datetime
import json
import pathlib
import tomllib

from algorithms import ECDSA_256, ECDSA_384, ECDSA_521, NONE, RSA, SHARED_KEY
from certificates import Anchor, public_key
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID
from ikev2_scsi import DIALECTS, Config, Identity, Peer, Suite

ID_TYPES = {"der_asn1_dn": 9, "der_asn1_gn": 10, "key_id": 11, "fc_name": 12}
ENCRYPTION = {
    "aes-gcm-16-256": (0x14, 32),
    "aes-gcm-16-128": (0x14, 16),
    "aes-ccm-16-256": (0x10, 32),
    "aes-ccm-16-128": (0x10, 16),
    "aes-ccm-8-256": (0x0E, 32),
    "aes-ccm-8-128": (0x0E, 16),
    "aes-cbc-256": (0x0C, 32),
    "aes-cbc-128": (0x0C, 16),
}
PRF = {"hmac-sha512": 7, "hmac-sha384": 6, "hmac-sha256": 5, "hmac-sha1": 2, "aes-xcbc": 4}
INTEGRITY = {"hmac-sha512-256": 14, "hmac-sha384-192": 13, "hmac-sha256-128": 12, "hmac-sha1-96": 2, "aes-xcbc-96": 5, "none": 0}
GROUP = {"modp-2048": 14, "modp-3072": 15, "modp-4096": 16, "modp-6144": 17, "modp-8192": 18, "ecp-256": 19, "ecp-384": 20, "ecp-521": 21}
AUTHENTICATION = {
    "none": NONE,
    "rsa": RSA,
    "shared-key": SHARED_KEY,
    "ecdsa-256": ECDSA_256,
    "ecdsa-384": ECDSA_384,
    "ecdsa-521": ECDSA_521,
}


def read(path):
    """The configuration, the dialect and the suite of an application client's file."""
    path = pathlib.Path(path)
    text = path.read_text()
    told = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)

    def secret(member):
        if member is None:
            return b""
        if "text" in member:
            return member["text"].encode()
        if "hex" in member:
            return bytes.fromhex(member["hex"])
        return (path.parent / member["file"]).read_bytes().rstrip(b"\r\n")

    def blob(name):
        return name.encode() if name.startswith("-----") else (path.parent / name).read_bytes()

    def identity(member):
        kind = ID_TYPES[member["type"]]
        if "certificate" in member:
            return Identity(kind, x509.load_pem_x509_certificate(blob(member["certificate"])).subject.public_bytes())
        return Identity(kind, bytes.fromhex(member["hex"]) if "hex" in member else member["text"].encode())

    own = told["own"]
    credentials = []
    for entry in own.get("credential", []):
        chain = [
            certificate.public_bytes(Encoding.DER)
            for name in entry.get("certificates", [])
            for certificate in x509.load_pem_x509_certificates(blob(name))
        ]
        credentials.append((load_pem_private_key(blob(entry["key"]), None), chain))
    peers = []
    for entry in told.get("peer", []):
        keys = [public_key(blob(entry["public_key"]))] if "public_key" in entry else []
        peers.append(Peer(identity(entry["identity"]), secret(entry.get("preshared_key")), keys))
    anchors = [Anchor.of(blob(name)) for name in told.get("trust", {}).get("anchors", [])]
    config = Config(identity(own["identity"]), secret(own.get("preshared_key")), credentials, peers, anchors)
    return config, DIALECTS[told.get("profile", "r3")], suite(told.get("preferences", {}))


def suite(preferences):
    """The first of each list; where there is none, r3's mandatory algorithms."""
    first = lambda name, otherwise: preferences.get(name, [otherwise])[0]
    server = AUTHENTICATION[first("authentication", "shared-key")]
    own = preferences.get("own_authentication")
    own = own[0] if isinstance(own, list) else own
    return Suite(
        *ENCRYPTION[first("encryption", "aes-cbc-128")],
        PRF[first("prf", "hmac-sha1")],
        INTEGRITY[first("integrity", "hmac-sha1-96")],
        GROUP[first("group", "modp-2048")],
        AUTHENTICATION[own] if own else server,
        server,
    )


# Pairs of files ---------------------------------------------------------------------------------------------------------

DRIVE, HOST = "iqn.2007-04.org.example:drive-9", "iqn.2007-04.org.example:host-1"
CURVES = {"ecdsa-256": ec.SECP256R1, "ecdsa-384": ec.SECP384R1, "ecdsa-521": ec.SECP521R1}


def make_key(method):
    return rsa.generate_private_key(65537, 2048) if method == "rsa" else ec.generate_private_key(CURVES[method]())


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def certificate(subject, key, issuer, issuer_key):
    """A certificate for an hour; without a subject's key it is the authority's own."""
    now = datetime.datetime.now(datetime.timezone.utc)
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(hours=1))
    is_authority = subject == issuer
    builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
    )
    usage |= {"digital_signature": not is_authority, "key_cert_sign": is_authority, "crl_sign": is_authority}
    builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def make(folder, dialect, method, algorithms, with_certificates):
    """A file for each end, JSON for the device server and TOML's sibling for the client, with new keys. Gives both names."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    identities = {DRIVE: {"type": "key_id", "text": DRIVE}, HOST: {"type": "key_id", "text": HOST}}
    own = {name: {"identity": identities[name]} for name in (DRIVE, HOST)}
    peers = {name: {"identity": identities[name]} for name in (DRIVE, HOST)}
    told = {name: {"profile": dialect, "own": own[name], "peer": [peers[HOST if name == DRIVE else DRIVE]]} for name in (DRIVE, HOST)}
    if method == "shared-key":
        for name in (DRIVE, HOST):
            own[name]["preshared_key"] = peers[name]["preshared_key"] = {"text": f"a key that only {name} has, and who knows it"}
    else:
        authority = make_key(method)
        root = certificate("Authority", authority, "Authority", authority)
        for name, short in ((DRIVE, "drive"), (HOST, "host")):
            key = make_key(method)
            (folder / f"{short}.key.pem").write_text(pem(key))
            own[name]["credential"] = [{"key": f"{short}.key.pem"}]
            if with_certificates:
                leaf = certificate(short, key, "Authority", authority)
                (folder / f"{short}.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
                own[name]["credential"][0] |= {"certificates": [f"{short}.pem"], "shows": "certificates"}
                subject = {"type": "der_asn1_dn", "hex": leaf.subject.public_bytes().hex()}
                own[name]["identity"] = peers[name]["identity"] = identities[name] = subject
            else:
                (folder / f"{short}.public.pem").write_text(public_pem(key))
                peers[name]["public_key"] = f"{short}.public.pem"
        if with_certificates:
            (folder / "authority.pem").write_bytes(root.public_bytes(Encoding.PEM))
            for name in (DRIVE, HOST):
                # Nobody is known beforehand: the authority vouches.
                told[name] |= {"peer": [], "trust": {"anchors": ["authority.pem"], "revocation": "off"}}
    told[DRIVE] |= {"sense": "fixed"}
    if dialect == "spc4":
        told[DRIVE]["policy"] = {"waive_complete_row": True}
    encryption, prf, integrity, group = algorithms
    told[HOST]["preferences"] = {
        "device_server": identities[DRIVE],
        "encryption": [encryption],
        "prf": [prf],
        "integrity": [integrity],
        "group": [group],
        "authentication": [method],
        "own_authentication": [method],
    }
    for name, file in ((DRIVE, "server.json"), (HOST, "client.json")):
        (folder / file).write_text(json.dumps(told[name], indent=2))
    return folder / "server.json", folder / "client.json"
