"""An application client of IKEv2-SCSI: T10/06-449r3 and SPC-4.

The command sequence, the messages and the keys; `transports.py` sends. Written from the documents: comments name their clauses.
"""
import os
import struct
import time
from dataclasses import dataclass, field

import algorithms as alg
from algorithms import ENCRYPTION, GROUPS, INTEGRITY, METHODS, NONE, PRFS, SHARED_KEY, PeerFault, need
from certificates import leaf_key
from sense import Refused, Sense

KE, ID_AC, ID_DS, CERT, CERTREQ, AUTH, NONCE, NOTIFY, DELETE, ENCRYPTED = 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2E
TAPE_DATA_ENCRYPTION = 0x81
X509, RAW_RSA = 0x04, 0x0B
TYPE_ENCR, TYPE_PRF, TYPE_INTEG, TYPE_DH, TYPE_AUTH, TYPE_AUTH_IN = 0x01, 0x02, 0x03, 0x04, 0xF9, 0xFA


@dataclass(frozen=True)
class Dialect:
    """The numbers in which the two documents differ."""

    name: str
    sai_length: int
    algorithms: int = 0x81
    timeouts: int = 0x83
    usage: int = 0x82

    def number(self, kind, low):
        """An ALGORITHM IDENTIFIER: r3 has IANA's number, SPC-4 a prefix before it."""
        if self.name == "r3":
            return low
        if kind in (TYPE_AUTH, TYPE_AUTH_IN):
            return 0x00F90000 | low
        if kind == TYPE_INTEG and low == 0:
            return 0xF0030001
        return 0x80000000 | kind << 16 | low

    def low(self, kind, number):
        """The other way; None for a number that is not known."""
        for low in range(0x20):
            if self.number(kind, low) == number:
                return low
        return None


R3 = Dialect("r3", 8, timeouts=0x82, usage=0)
SPC4 = Dialect("spc4", 4)
DIALECTS = {"r3": R3, "spc4": SPC4}


@dataclass(frozen=True)
class Suite:
    """Algorithms by the low half of their numbers; `client` and `server` are how each side authenticates itself."""

    encr: int
    key_length: int
    prf: int
    integ: int
    dh: int
    client: int
    server: int

    def __str__(self):
        check = INTEGRITY[self.integ]
        names = [f"{ENCRYPTION[self.encr].name}/{self.key_length}", PRFS[self.prf].name, check.name if check else "combined"]
        return ", ".join(names + [f"group {self.dh}", f"client {METHODS[self.client]}", f"server {METHODS[self.server]}"])


@dataclass(frozen=True)
class Identity:
    kind: int
    data: bytes

    def rest(self):
        """The ID payload less its first four bytes."""
        return bytes([self.kind, 0, 0, 0]) + self.data


@dataclass
class Peer:
    identity: Identity
    psk: bytes = b""
    public_keys: list = field(default_factory=list)


@dataclass
class Config:
    identity: Identity
    psk: bytes = b""
    # Private keys, each with its certificates, its own first.
    credentials: list = field(default_factory=list)
    peers: list = field(default_factory=list)
    # Certificates of authorities.
    anchors: list = field(default_factory=list)
    rsa_hashes: list = field(default_factory=list)
    unix_time: float | None = None
    sends_raw_keys: bool = False


# Messages ---------------------------------------------------------------------------------------------------------------


def chained(payloads):
    """(type, body) pairs as bytes, and the type of the first. CRIT is one in each (r3 7.7.3.1.1)."""
    out = b""
    for number, (_, body) in enumerate(payloads):
        following = payloads[number + 1][0] if number + 1 < len(payloads) else 0
        out += struct.pack(">BBH", following, 0x80, len(body) + 4) + body
    return payloads[0][0], out


def unchained(first, data):
    """The other way: payloads must fill the bytes."""
    found, at = [], 0
    while first != 0:
        need(at + 4 <= len(data), "payloads that go beyond the message")
        following, flags, length = struct.unpack_from(">BBH", data, at)
        need(4 <= length <= len(data) - at, "a payload longer than the message")
        if first == ENCRYPTED:
            need(at + length == len(data), "something after the Encrypted payload")
            return found + [(first, data[at + 4 : at + length], following, at)]
        found.append((first, data[at + 4 : at + length], flags, at))
        first, at = following, at + length
    need(at == len(data), "bytes after the last payload")
    return found


def only(payloads, kind, what):
    found = [payload[1] for payload in payloads if payload[0] == kind]
    need(len(found) == 1, f"{len(found)} {what} payloads")
    return found[0]


def descriptor(kind, number, key_length=0):
    return struct.pack(">BBHIHH", kind, 0, 12, number, 0, key_length)


def split_descriptors(data):
    need(len(data) % 12 == 0, "descriptors of another length than 12")
    return [data[at : at + 12] for at in range(0, len(data), 12)]


def cdb(is_out, protocol, specific, length):
    return struct.pack(">BBHBBIBB", 0xB5 if is_out else 0xA2, protocol, specific, 0, 0, length, 0, 0)


# The application client -------------------------------------------------------------------------------------------------


class Association:
    """What the application client has of an association: r3 5.13.4.5, SPC-4 5.14.4.9."""

    def __init__(self, **parameters):
        self.__dict__.update(parameters)


class Initiator:
    """One application client at one I_T nexus."""

    def __init__(self, transport, config, dialect, key_log=None, trace=None, patience=30.0, usage=b"", nonce_length=32):
        self.transport, self.config, self.dialect = transport, config, dialect
        self.key_log, self.trace, self.patience = key_log, trace, patience
        self.usage, self.nonce_length, self.retries = usage, nonce_length, 0

    # Commands

    def execute(self, is_out, protocol, specific, data):
        """One command; while the device server says that it calculates, again (r3 5.13.7, SPC-4 5.14.5)."""
        block = cdb(is_out, protocol, specific, len(data) if is_out else 16384)
        busy = (0x04, 0x07) if self.dialect is R3 else (0x04, 0x13)
        until = time.monotonic() + self.patience
        while True:
            status, data_in, sense = self.transport.execute(block, data if is_out else b"", 0 if is_out else 16384)
            if self.trace is not None:
                self.trace.append((block, data if is_out else data_in, status, sense))
            if status == 0:
                return data_in
            refused = Refused(status, sense)
            told = refused.sense
            attention = told is not None and told.key == 6
            waits = told is not None and told.key == 2 and (told.asc, told.ascq) == busy
            if not (attention or waits) or time.monotonic() > until:
                raise refused
            self.retries += 1
            time.sleep(0 if attention else 0.02)

    def capabilities(self):
        """Device Server Capabilities: (kind, low number, key length, attributes) of each descriptor, and all bytes."""
        data = self.execute(False, 0x40, 0x0101, b"")
        need(len(data) >= 12, "capabilities that are too short")
        length, following, _, payload = struct.unpack_from(">IBBH", data)
        need(length + 4 == len(data) and payload + 4 == len(data) and following == 0, "lengths of the capabilities that disagree")
        # Descriptors begin at byte 8 of the payload, in one reading of r3's table at 12 (reading R3).
        start = 12 if (payload - 8) % 12 == 0 else 16
        found = split_descriptors(data[start:])
        count = data[8] if self.dialect is R3 else data[11]
        need(count == len(found), "a number of descriptors that is not theirs")
        offered = []
        for entry in found:
            kind, _, size, number, attributes, key_length = struct.unpack(">BBHIHH", entry)
            need(size == 12, "DESCRIPTOR LENGTH is not 12")
            offered.append((kind, self.dialect.low(kind, number), key_length, attributes >> 8))
        need(found == sorted(found), "descriptors that are not in ascending order")
        return offered, data

    def offers(self, offered, suite):
        """What of a suite the device server does not offer."""
        server_kind = TYPE_AUTH if self.dialect is R3 else TYPE_AUTH_IN
        wanted = [
            (TYPE_ENCR, suite.encr, suite.key_length, 0),
            (TYPE_PRF, suite.prf, 0, 0),
            (TYPE_INTEG, suite.integ, 0, 0),
            (TYPE_DH, suite.dh, 0, 0),
            # r3 has bits for both directions: USE and ACCEPT.
            (TYPE_AUTH, suite.client, 0, 1 if self.dialect is R3 else 0),
            (server_kind, suite.server, 0, 2 if self.dialect is R3 else 0),
        ]
        lacks = []
        for kind, low, length, bits in wanted:
            if not any((k, l, n) == (kind, low, length) and a & bits == bits for k, l, n, a in offered):
                lacks.append(f"type {kind:02X}h number {low:02X}h")
        return lacks

    # Messages

    def header(self, first, exchange, message_id, length, ds_sai):
        """INTTR is bit 4 (r3 Table E1); SPC-4 has no EXCHANGE TYPE, and restricts the upper half of each SAI."""
        exchange = exchange if self.dialect is R3 else 0
        sais = self.ac_sai.rjust(8, b"\0") + ds_sai.rjust(8, b"\0")
        return sais + struct.pack(">BBBBII", first, 0x20, exchange, 0x10, message_id, length)

    def answer(self, data, exchange, message_id):
        """The checks of a header that comes back, and the first payload's type."""
        need(len(data) >= 28, "an answer shorter than the header")
        first, version, kind, flags, number, length = struct.unpack_from(">BBBBII", data, 16)
        need(data[:8] == self.ac_sai.rjust(8, b"\0"), "an answer with another application client's SAI")
        need(version >> 4 == 2, "MAJOR VERSION is not 2")
        need(kind == exchange or self.dialect is not R3, f"EXCHANGE TYPE {kind:02X}h")
        need(flags & 0x14 == 0x04, f"flags {flags:02X}h: INTTR 0 and RSPNS 1 are due")
        need(number == message_id, f"MESSAGE ID {number}")
        need(length == len(data), "LENGTH is not that of the data")
        return first

    def sais(self):
        """Both SAIs as the key derivation has them: eight bytes each in r3, four in SPC-4."""
        return self.ac_sai + self.ds_sai

    def algorithms_payload(self, sai):
        suite, number = self.suite, self.dialect.number
        rows = descriptor(TYPE_ENCR, number(TYPE_ENCR, suite.encr), suite.key_length)
        rows += descriptor(TYPE_PRF, number(TYPE_PRF, suite.prf))
        rows += descriptor(TYPE_INTEG, number(TYPE_INTEG, suite.integ))
        rows += descriptor(TYPE_DH, number(TYPE_DH, suite.dh))
        if self.dialect is R3:
            rows += descriptor(TYPE_AUTH, number(TYPE_AUTH, suite.server))
            return struct.pack(">BBH", 5, TAPE_DATA_ENCRYPTION, len(self.usage)) + sai + self.usage + rows
        rows += descriptor(TYPE_AUTH, number(TYPE_AUTH, suite.client)) + descriptor(TYPE_AUTH_IN, number(TYPE_AUTH_IN, suite.server))
        # As printed: the number of descriptors in byte 20 of the payload.
        return bytes(16) + bytes([6]) + rows

    def usage_payload(self):
        """SAUT, for the same algorithms (SPC-4 table 542)."""
        rows = descriptor(TYPE_ENCR, self.dialect.number(TYPE_ENCR, self.suite.encr), self.suite.key_length)
        rows += descriptor(TYPE_INTEG, self.dialect.number(TYPE_INTEG, self.suite.integ))
        return struct.pack(">8xHH", TAPE_DATA_ENCRYPTION, len(self.usage)) + self.usage + bytes([0, 0, 0, 2]) + rows

    def is_skipped(self):
        return self.suite.server == NONE

    # Phases

    def create(self, suite, timeouts=(60, 3600), initial_contact=False):
        """All phases. Gives the association; raises what went wrong."""
        self.suite = suite
        self.encr, self.prf, self.integ = ENCRYPTION[suite.encr], PRFS[suite.prf], INTEGRITY[suite.integ]
        offered, self.capability_data = self.capabilities()
        lacks = self.offers(offered, suite)
        if lacks:
            raise PeerFault("not offered: " + ", ".join(lacks))
        self.key_exchange(timeouts)
        if not self.is_skipped():
            self.authenticate(initial_contact)
        return self.association(timeouts)

    def key_exchange(self, timeouts):
        dialect = self.dialect
        # SPC-4 reserves 0 to 255; so do we in r3.
        while True:
            self.ac_sai = os.urandom(dialect.sai_length)
            if int.from_bytes(self.ac_sai, "big") > 255:
                break
        self.ds_sai = bytes(dialect.sai_length)
        group = GROUPS[self.suite.dh]
        private, public = group.generate()
        self.nonce_i = os.urandom(self.nonce_length)
        payloads = [
            (dialect.timeouts, struct.pack(">3xBII", 2, *timeouts)),
            (dialect.algorithms, self.algorithms_payload(self.ac_sai)),
            (KE, struct.pack(">HH", self.suite.dh, 0) + public),
            (NONCE, self.nonce_i),
        ]
        if dialect is SPC4 and self.is_skipped():
            payloads.insert(2, (dialect.usage, self.usage_payload()))
        first, body = chained(payloads)
        self.message_i = self.header(first, 0xF2, 0, 28 + len(body), self.ds_sai) + body
        self.execute(True, 0x41, 0x0102, self.message_i)
        self.message_r = self.execute(False, 0x41, 0x0102, b"")
        first = self.answer(self.message_r, 0xF2, 0)
        restricted, self.ds_sai = self.message_r[8 : 16 - dialect.sai_length], self.message_r[16 - dialect.sai_length : 16]
        need(not any(restricted) and int.from_bytes(self.ds_sai, "big") > 255, "a device server SAI out of range")
        found = unchained(first, self.message_r[28:])
        expected = [dialect.algorithms, KE, NONCE]
        if dialect is SPC4 and self.is_skipped():
            expected.insert(1, dialect.usage)
            need(only(found, dialect.usage, "SAUT") == self.usage_payload(), "another SAUT payload than ours")
        kinds = [kind for kind, *_ in found]
        need(kinds[: len(expected)] == expected and set(kinds[len(expected) :]) <= {CERTREQ}, f"payloads {kinds}")
        need(all(flags & 0x80 for _, _, flags, _ in found), "CRIT zero")
        # The algorithms must be ours, with the SAI of the device server (r3 5.13.4.3.3).
        echoed = only(found, dialect.algorithms, "algorithms")
        need(echoed == self.algorithms_payload(self.ds_sai), "other algorithms than those selected")
        exchange = only(found, KE, "Key Exchange")
        need(struct.unpack_from(">H", exchange)[0] == self.suite.dh, "another group")
        self.nonce_r = only(found, NONCE, "Nonce")
        need(max(16, self.prf.length // 2) <= len(self.nonce_r) <= 256, f"a nonce of {len(self.nonce_r)} bytes")
        self.requests = [payload[1] for payload in found if payload[0] == CERTREQ]
        self.derive(group.agree(private, exchange[4:]))

    def derive(self, shared):
        """RFC 4306 2.14, with the SAIs where it has SPIs."""
        seed = self.nonce_i + self.nonce_r + self.sais()
        check = self.integ.key_length if self.integ else 0
        cipher = self.suite.key_length + self.encr.salt
        lengths = {"SK_d": self.prf.length, "SK_ai": check, "SK_ar": check, "SK_ei": cipher, "SK_er": cipher}
        lengths |= {"SK_pi": self.prf.length, "SK_pr": self.prf.length}
        stream = self.prf.plus(self.prf.skeyseed(self.nonce_i, self.nonce_r, shared), seed, sum(lengths.values()))
        self.keys = {}
        for name, length in lengths.items():
            self.keys[name], stream = stream[:length], stream[length:]
        if self.key_log is not None:
            sais = f"{self.ac_sai.rjust(8, bytes(1)).hex()} {self.ds_sai.rjust(8, bytes(1)).hex()}"
            for name in ("SK_ei", "SK_er", "SK_ai", "SK_ar"):
                self.key_log.write(f"{name} {sais} {self.keys[name].hex()}\n")
            self.key_log.flush()

    def seal(self, exchange, message_id, payloads):
        """A message with an Encrypted payload and nothing else (RFC 4306 3.14, RFC 5282)."""
        inner, text = chained(payloads)
        text += bytes(range(1, 1 + -(len(text) + 1) % self.encr.align))
        text += bytes([-(self.inner_length(payloads) + 1) % self.encr.align])
        iv = os.urandom(self.encr.iv)
        icv = self.encr.tag or self.integ.length
        length = 4 + len(iv) + len(text) + icv
        associated = self.header(ENCRYPTED, exchange, message_id, 28 + length, self.ds_sai)
        associated += struct.pack(">BBH", inner, 0x80, length)
        sealed = associated + iv + self.encr.seal(self.keys["SK_ei"], iv, associated, text)
        if self.integ:
            sealed += self.integ(self.keys["SK_ai"], sealed)
        return sealed

    @staticmethod
    def inner_length(payloads):
        return sum(4 + len(body) for _, body in payloads)

    def unseal(self, data, exchange, message_id):
        """What the device server sealed: the integrity check value first, then everything else."""
        first = self.answer(data, exchange, message_id)
        need(data[16 - self.dialect.sai_length : 16] == self.ds_sai, "an answer with another device server's SAI")
        found = unchained(first, data[28:])
        need(len(found) == 1 and found[0][0] == ENCRYPTED, "an answer that is not encrypted")
        _, body, inner, at = found[0]
        icv = self.encr.tag or self.integ.length
        need(len(body) >= self.encr.iv + icv + 1, "an Encrypted payload that is too short")
        if self.integ:
            expected = self.integ(self.keys["SK_ar"], data[:-icv])
            need(expected == data[-icv:], "the integrity check value is wrong")
            body = body[:-icv]
        iv, text = body[: self.encr.iv], body[self.encr.iv :]
        text = self.encr.open(self.keys["SK_er"], iv, data[: 28 + at + 4], text)
        padded = text[-1]
        need(padded < len(text), "PAD LENGTH beyond the payload")
        padding = text[len(text) - 1 - padded : -1]
        need(self.dialect is R3 or padding == bytes(range(1, padded + 1)), "padding that is not 01h 02h 03h")
        return unchained(inner, text[: len(text) - 1 - padded])

    def octets(self, is_ours, identity):
        """What AUTH covers: RFC 4306 2.15, r3 7.7.4.6 with readings R29 and R22, SPC-4 7.7.3.5.7."""
        message, nonce, key = (self.message_i, self.nonce_r, "SK_pi") if is_ours else (self.message_r, self.nonce_i, "SK_pr")
        before = b""
        if self.dialect is SPC4:
            before = self.capability_data
        elif not is_ours:
            # The SSCC payload, without PARAMETER DATA LENGTH.
            before = self.capability_data[4:]
        return before + message + nonce + self.prf(self.keys[key], identity)

    def credential(self):
        for key, certificates in self.config.credentials:
            if alg.method_of(key) == self.suite.client:
                return key, certificates
        raise PeerFault(f"no key of our own for {METHODS[self.suite.client]}")

    def authenticate(self, initial_contact):
        ours = self.config.identity.rest()
        payloads = [(ID_AC, ours)]
        if self.dialect is SPC4:
            payloads.append((self.dialect.usage, self.usage_payload()))
        octets = self.octets(True, ours)
        if self.suite.client == SHARED_KEY:
            data = alg.mic(self.prf, self.config.psk, octets)
        else:
            key, certificates = self.credential()
            payloads += [(CERT, bytes([X509]) + der) for der in certificates]
            data = alg.sign(key, octets)
        if self.config.anchors and self.suite.server != SHARED_KEY:
            hashes = b"".join(alg.sha1(anchor.spki) for anchor in self.config.anchors)
            payloads.append((CERTREQ, bytes([X509]) + hashes))
        if initial_contact:
            payloads.append((NOTIFY, struct.pack(">BBH", 1, 8, 16384) + self.ds_sai.rjust(8, b"\0")))
        payloads.append((AUTH, bytes([self.suite.client, 0, 0, 0]) + data))
        self.execute(True, 0x41, 0x0103, self.seal(0xF3, 1, payloads))
        answer = self.execute(False, 0x41, 0x0103, b"")
        found = self.unseal(answer, 0xF3, 1)
        kinds = [kind for kind, *_ in found]
        expected = [ID_DS] + ([self.dialect.usage] if self.dialect is SPC4 else [])
        rest = kinds[len(expected) :]
        need(kinds[: len(expected)] == expected and rest == [CERT] * (len(rest) - 1) + [AUTH], f"payloads {kinds}")
        if self.dialect is SPC4:
            need(only(found, self.dialect.usage, "SAUT") == self.usage_payload(), "another SAUT payload than ours")
        theirs = only(found, ID_DS, "Identification")
        auth = only(found, AUTH, "Authentication")
        need(auth[0] == self.suite.server, f"AUTH METHOD {auth[0]:02X}h was not agreed on")
        certificates = [payload[1] for payload in found if payload[0] == CERT]
        self.verify(theirs, certificates, auth[4:])

    def verify(self, theirs, certificates, data):
        """Whether the device server is one that we know."""
        identity = Identity(theirs[0], theirs[4:])
        octets = self.octets(False, theirs)
        known = [peer for peer in self.config.peers if peer.identity == identity]
        if self.suite.server == SHARED_KEY:
            need(known, "a device server whose shared key we do not have")
            need(any(peer.psk and alg.mic(self.prf, peer.psk, octets) == data for peer in known), "the AUTH data are wrong")
            return
        keys = [key for peer in known for key in peer.public_keys if alg.method_of(key) == self.suite.server]
        if certificates:
            x509 = [body[1:] for body in certificates if body[0] == X509]
            need(len(x509) == len(certificates), "a certificate of an encoding that we did not ask for")
            presented = leaf_key(x509, self.config)
            need(alg.method_of(presented) == self.suite.server, "a certificate for another algorithm")
            keys = [presented]
        need(keys, "a device server whose key we do not have")
        for key in keys[:-1]:
            try:
                return alg.verify(key, octets, data, self.config.rsa_hashes)
            except PeerFault:
                pass
        alg.verify(keys[-1], octets, data, self.config.rsa_hashes)

    def association(self, timeouts):
        number, suite, keys = self.dialect.number, self.suite, self.keys
        common = {
            "AC_SAI": self.ac_sai.hex(),
            "DS_SAI": self.ds_sai.hex(),
            "TIMEOUT": timeouts[1],
            "USAGE_TYPE": TAPE_DATA_ENCRYPTION,
        }
        management = {"ENCR": number(TYPE_ENCR, suite.encr), "KEY LENGTH": suite.key_length, "INTEG": number(TYPE_INTEG, suite.integ)}
        management |= {"SK_ei": keys["SK_ei"].hex(), "SK_ai": keys["SK_ai"].hex()}
        if self.dialect is R3:
            management["NEXT MESSAGE ID"] = 1 if self.is_skipped() else 2
            common |= {"USAGE_DATA": self.usage.hex(), "AC_NONCE": self.nonce_i.hex(), "DS_NONCE": self.nonce_r.hex()}
            common |= {"KDF_ID": 0x00020000 | suite.prf, "KEY_SEED": keys["SK_d"].hex()}
        else:
            management["NEXT MESSAGE ID"] = 2
            management |= {"SK_er": keys["SK_er"].hex(), "SK_ar": keys["SK_ar"].hex()}
            common |= {"USAGE_DATA": self.usage_data().hex(), "KDF_ID": number(TYPE_PRF, suite.prf), "AC_SQN": 1, "DS_SQN": 1}
            # SPC-4 5.14.4.8.6: the keys of the association, by the algorithms of SAUT, which are the same here.
            check = self.integ.key_length if self.integ else 0
            cipher = suite.key_length + self.encr.salt
            length = 2 * (check + cipher)
            common["KEYMAT"] = self.prf.plus(keys["SK_d"], self.nonce_i + self.nonce_r + self.sais(), length).hex()
        common["MGMT_DATA"] = management
        return Association(parameters=common)

    def usage_data(self):
        number = self.dialect.number
        algorithms = struct.pack(">IHI", number(TYPE_ENCR, self.suite.encr), self.suite.key_length, number(TYPE_INTEG, self.suite.integ))
        return algorithms + self.usage

    def delete(self, transport=None):
        """r3 5.13.5, SPC-4 5.14.4.11: from any I_T nexus."""
        if transport is not None:
            self.transport = transport
        if self.dialect is R3:
            message_id = 1 if self.is_skipped() else 2
            body = struct.pack(">BBH", 1, 8, 1) + self.ac_sai
        else:
            message_id = 2
            body = struct.pack(">BBH4x4s4x4s", 1, 8, 2, self.ac_sai, self.ds_sai)
        self.execute(True, 0x41, 0x0104, self.seal(0xF4, message_id, [(DELETE, body)]))
