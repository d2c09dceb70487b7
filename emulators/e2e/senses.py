#!/usr/bin/env python3
"""Sense data for every kind of refusal, in both dialects and both formats, judged by sg_decode_sense.

    senses.py VECTORS COMMAND...

COMMAND is the test bench (`examples/shim`). Each case provokes a refusal. What must come back stands here as the documents have it:
sense key, additional sense code, and the field or the progress. sg_decode_sense, which knows T10's assigned codes and nothing of this
project, must read the same out of the bytes: key, format, field pointer, progress; and for codes that T10 assigned, the text.

r3 recommends codes that T10 gave to other conditions later (reading R20), so that hosts' tables name them wrongly or not at all. These
are listed as such, and with `sense_codes = "assigned"` a device server of r3 uses the assigned ones.
"""
import dataclasses
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time

from algorithms import ENCRYPTION, INTEGRITY, PRFS
from bench_test import config, load, suite
from ikev2_scsi import DIALECTS, R3, SPC4, Initiator, Refused, Sense, cdb
from transports import Bench

# T10's assignments, of those that are used here. Another table than that of sg3_utils: SPC-4's.
ASSIGNED = {
    (0x00, 0x1E): "Conflicting SA creation request",
    (0x04, 0x07): "Logical unit not ready, operation in progress",
    (0x04, 0x13): "Logical unit not ready, SA creation in progress",
    (0x24, 0x00): "Invalid field in CDB",
    (0x26, 0x00): "Invalid field in parameter list",
    (0x2A, 0x14): "SA creation capabilities data has changed",
    (0x2C, 0x00): "Command sequence error",
    (0x55, 0x03): "Insufficient resources",
    (0x74, 0x10): "SA creation parameter value invalid",
    (0x74, 0x11): "SA creation parameter value rejected",
    (0x74, 0x30): "SA creation parameter not supported",
    (0x74, 0x40): "Authentication failed",
}
# Codes that r3 recommends and that mean something else today, or nothing.
OTHERWISE = {
    (0x00, 0x1E): "IKEv2-SCSI OPERATION IN PROGRESS",
    (0x26, 0x13): "PARAMETER LIST INCOMPLETE",
    (0x2C, 0x00): "IKEv2-SCSI INVALID COMMAND SEQUENCE",
    (0x74, 0x30): "IKEv2-SCSI PARAMETER VALUE INVALID",
    (0x74, 0x31): "IKEv2-SCSI PARAMETER NOT SUPPORTED",
}
KEYS = {2: "Not Ready", 5: "Illegal Request", 6: "Unit Attention", 11: "Aborted Command"}
ILLEGAL, NOT_READY, ATTENTION, ABORTED = 5, 2, 6, 11

# The names by which the tables of clauses (`src/guide/conformance*.md`) tell of sense data, and their codes.
NAMED = {
    "conformance.md": {
        "IKEv2-SCSI PARAMETER VALUE INVALID": (0x74, 0x30),
        "IKEv2-SCSI PARAMETER NOT SUPPORTED": (0x74, 0x31),
        "PARAMETER LIST INCOMPLETE": (0x26, 0x13),
        "AUTHENTICATION FAILED": (0x74, 0x40),
        "IKEv2-SCSI OPERATION IN PROGRESS": (0x00, 0x1E),
        "LOGICAL UNIT NOT READY, OPERATION IN PROGRESS": (0x04, 0x07),
        "INVALID COMMAND SEQUENCE": (0x2C, 0x00),
        "INVALID FIELD IN CDB": (0x24, 0x00),
    },
    "conformance_spc4.md": {
        "SA CREATION PARAMETER VALUE INVALID": (0x74, 0x10),
        "SA CREATION PARAMETER VALUE REJECTED": (0x74, 0x11),
        "SA CREATION PARAMETER NOT SUPPORTED": (0x74, 0x30),
        "AUTHENTICATION FAILED": (0x74, 0x40),
        "SA CREATION IN PROGRESS": (0x04, 0x13),
        "CONFLICTING SA CREATION REQUEST": (0x00, 0x1E),
        "COMMAND SEQUENCE ERROR": (0x2C, 0x00),
        "INVALID FIELD IN CDB": (0x24, 0x00),
        "INVALID FIELD IN PARAMETER LIST": (0x26, 0x00),
        "SA CREATION CAPABILITIES DATA HAS CHANGED": (0x2A, 0x14),
    },
}
# A calculation that runs, and a logical unit with one sequence: `senses_iscsi.py` has these from tgtd.
ELSEWHERE = {"conformance.md": {(0x04, 0x07)}, "conformance_spc4.md": {(0x00, 0x1E)}}


def in_list(byte, bit=None):
    return (False, byte, bit)


def in_cdb(byte, bit=None):
    return (True, byte, bit)


class Bad(Initiator):
    """Sends what it should not. `put_off` has the sense data of commands that were to wait."""

    def __init__(self, way, config, dialect, suite):
        self.way, self.put_off = way, []
        super().__init__(self, config, dialect, patience=0)
        self.change = lambda data: data
        # P-256 is quicker than most, and offered everywhere.
        self.wanted = dataclasses.replace(suite, dh=0x13)

    # As its own transport.
    def execute_at(self, block, data):
        return self.way.execute(block, data, 0 if block[0] == 0xB5 else 16384)

    def execute(self, is_out, protocol, specific, data):
        block = cdb(is_out, protocol, specific, len(data) if is_out else 16384)
        if is_out and specific == self.at:
            data = self.change(bytearray(data))
            block = cdb(True, protocol, specific, len(data))
        for _ in range(500):
            status, data_in, sense = self.execute_at(block, bytes(data))
            told = Sense.parse(sense)
            # A calculation is waited for.
            waits = (0x04, 0x07) if self.dialect is R3 else (0x04, 0x13)
            if is_out or status == 0 or told.key != NOT_READY or (told.asc, told.ascq) != waits:
                break
            self.put_off.append(sense)
            time.sleep(0.01)
        if status:
            raise Refused(status, sense)
        return data_in

    def run(self, at, change):
        """Creates an association, with one message changed."""
        self.at, self.change = at, change
        self.create(self.wanted)

    def raw(self, block, data=b""):
        status, _, sense = self.execute_at(block, data)
        if status:
            raise Refused(status, sense)


def setter(at, *values):
    def change(data):
        data[at : at + len(values)] = bytes(values)
        return data

    return change


def flip(at, mask):
    def change(data):
        data[at] ^= mask
        return data

    return change


KE_OUT, AUTH_OUT, DELETE_OUT = 0x0102, 0x0103, 0x0104
LAST_BYTE = -1


def without_integrity(dialect):
    """A key exchange OUT whose algorithms lack the third descriptor."""

    def change(data):
        start = 44 + (16 if dialect is R3 else 21)
        del data[start + 24 : start + 36]
        data[44 + (4 if dialect is R3 else 20)] -= 1
        length = struct.unpack_from(">H", data, 46)[0] - 12
        struct.pack_into(">H", data, 46, length)
        struct.pack_into(">I", data, 24, len(data))
        return data

    return change


def unknown_payload(data):
    """Before the others, a payload that nobody knows, with CRIT."""
    first, data[16] = data[16], 0xBF
    data[28:28] = bytes([first, 0x80, 0, 4])
    struct.pack_into(">I", data, 24, len(data))
    return data


def cases(dialect):
    """(name, what is done, sense key, code, pointer, progress)."""
    r3 = dialect is R3
    invalid = (0x74, 0x30) if r3 else (0x74, 0x10)
    descriptors = 44 + (16 if r3 else 21)
    ke = lambda name, change, pointer, code=invalid: (name, lambda bad: bad.run(KE_OUT, change), ILLEGAL, code, pointer, None)
    found = [
        ke("MAJOR VERSION 3", setter(17, 0x30), in_list(17, 7)),
        ke("INTTR 0", flip(19, 0x10), in_list(19, 4)),
        ke("RSPNS 1", flip(19, 0x04), in_list(19, 2)),
        ke("MESSAGE ID 1", setter(23, 1), in_list(20)),
        ke("LENGTH too long", flip(24, 0x40), in_list(24)),
        ke("encryption that nobody has", setter(descriptors + 6, 0x0F, 0xFF), in_list(descriptors + 4)),
        ke("KEY LENGTH 17", setter(descriptors + 11, 17), in_list(descriptors + 10)),
        ke("unknown payload with CRIT", unknown_payload, in_list(16), (0x74, 0x31) if r3 else (0x74, 0x30)),
        ke("NUMBER OF TIMEOUT VALUES 1", setter(35, 1), in_list(35)),
        ke(
            "an absent descriptor",
            without_integrity(dialect),
            in_list(48) if r3 else in_list(64),
            (0x26, 0x13) if r3 else invalid,
        ),
        ("INC_512", lambda bad: bad.raw(bytes([0xB5, 0x41, 1, 2, 0x80]) + bytes(7)), ILLEGAL, (0x24, 0), in_cdb(4, 7), None),
        ("SPECIFIC 0105h", lambda bad: bad.raw(cdb(False, 0x41, 0x0105, 16384)), ILLEGAL, (0x24, 0), in_cdb(2), None),
        ("PROTOCOL 42h", lambda bad: bad.raw(cdb(False, 0x42, 0x0102, 16384)), ILLEGAL, (0x24, 0), in_cdb(1), None),
        ("capabilities OUT", lambda bad: bad.raw(cdb(True, 0x40, 0x0101, 4), bytes(4)), ILLEGAL, (0x24, 0), in_cdb(1), None),
        (
            "authentication IN without a sequence",
            lambda bad: bad.raw(cdb(False, 0x41, 0x0103, 16384)),
            ILLEGAL,
            (0x2C, 0) if r3 else (0x24, 0),
            in_cdb(2),
            None,
        ),
        ("key exchange IN without a sequence", lambda bad: bad.raw(cdb(False, 0x41, 0x0102, 16384)), ILLEGAL, (0x2C, 0), in_cdb(2), None),
        ("key exchange OUT twice", twice, NOT_READY, (0x00, 0x1E) if r3 else (0x04, 0x13), None, 0x4000 if r3 else Ellipsis),
        (
            "a wrong ICV",
            lambda bad: bad.run(AUTH_OUT, flip(LAST_BYTE, 1)),
            ILLEGAL,
            invalid if r3 else (0x74, 0x11),
            in_list(28),
            None,
        ),
        ("a wrong shared key", wrong_key, ILLEGAL if r3 else ABORTED, (0x74, 0x40), in_list(28) if r3 else None, None),
        ("a Delete of nothing", delete_twice, ILLEGAL, (0x2C, 0) if r3 else (0x26, 0), in_list(0) if r3 else in_list(4), None),
    ]
    if r3:
        found += [
            ke("EXCHANGE TYPE F5h", setter(18, 0xF5), in_list(18)),
            ke("timeout zero", setter(36, 0, 0, 0, 0), in_list(36)),
            ke("a list of 27 bytes", lambda data: data[:27], in_cdb(6)),
        ]
    else:
        found.append(("changed capabilities", changed_capabilities, ATTENTION, (0x2A, 0x14), None, None))
        found.append(
            ("another device server SAI", lambda bad: bad.run(AUTH_OUT, flip(15, 1)), ILLEGAL, (0x74, 0x11), in_list(12), None)
        )
    return found


def twice(bad):
    """The key exchange OUT is sent again at once."""
    bad.at, bad.suite = None, bad.wanted
    bad.encr, bad.prf, bad.integ = ENCRYPTION[bad.suite.encr], PRFS[bad.suite.prf], INTEGRITY[bad.suite.integ]
    once = bad.execute_at

    def again(block, data):
        answer = once(block, data)
        return once(block, data) if block[0] == 0xB5 and answer[0] == 0 else answer

    bad.execute_at = again
    bad.capabilities()
    bad.key_exchange((60, 3600))


def changed_capabilities(bad):
    """SPC-4 5.14.4.5: they take effect when somebody reads them, and then every other nexus is told."""
    bad.at = None
    other = bad.way.another()
    read = cdb(False, 0x40, 0x0101, 16384)
    assert bad.way.execute(read, b"", 16384)[0] == 0 and other.execute(read, b"", 16384)[0] == 0
    fewer = [entry for entry in bad.way.provisioned["capabilities"] if not entry.startswith("0400000c8004000f")]
    assert bad.way.ask(op="event", nexus="A", kind="capabilities", value=fewer)["status"] == 0
    assert bad.way.execute(read, b"", 16384)[0] == 0
    bad.way = other
    bad.raw(read)


def wrong_key(bad):
    bad.at = None
    bad.config.psk = b"a key that is not the one that was agreed on"
    bad.create(bad.wanted)


def delete_twice(bad):
    bad.at = None
    bad.create(bad.wanted)
    bad.delete()
    bad.delete()


def decoded(sense):
    """What sg_decode_sense reads: format, key, code or text, pointer, progress."""
    run = subprocess.run(["sg_decode_sense", *(f"{byte:02x}" for byte in sense)], capture_output=True, text=True, timeout=20)
    text = run.stdout
    form, key = re.match(r"(Fixed|Descriptor) format, current; Sense key: (.*)", text).groups()
    name = re.search(r"^Additional sense: (.*)$", text, re.M)
    number = re.search(r"^ASC=(\w+), ASCQ=(\w+)", text, re.M)
    code = tuple(int(part, 16) for part in number.groups()) if number else None
    pointer = re.search(r"Error in (Command|Data parameters): byte (\d+)(?: bit (\d+))?", text)
    if pointer:
        where, byte, bit = pointer.groups()
        pointer = (where == "Command", int(byte), None if bit is None else int(bit))
    progress = re.search(r"Progress indication: ([\d.]+)%", text)
    return form, key, name and name.group(1).strip(), code, pointer, progress and float(progress.group(1))


def assigned(expected):
    """What a device server of r3 answers with `sense_codes = "assigned"` (reading R20)."""
    key, code, pointer, progress = expected
    codes = {(0x74, 0x30): (0x74, 0x10), (0x74, 0x31): (0x74, 0x30), (0x26, 0x13): (0x74, 0x10), (0x00, 0x1E): (0x04, 0x13)}
    return key, codes.get(code, code), pointer, progress


def check(dialect, is_descriptor, name, raw, key, code, pointer, progress):
    told = Sense.parse(raw)
    assert (told.key, (told.asc, told.ascq)) == (key, code), f"{name}: {told}"
    assert told.pointer == pointer, f"{name}: {told}, not {pointer}"
    assert progress is Ellipsis or told.progress == progress, f"{name}: {told}"
    form, key_name, text, number, seen, percent = decoded(raw)
    assert form == ("Descriptor" if is_descriptor else "Fixed"), f"{name}: {form}"
    assert key_name == KEYS[key], f"{name}: {key_name}"
    assert seen == pointer, f"{name}: sg_decode_sense reads {seen}"
    expected = told.progress
    assert (percent is None) == (expected is None), f"{name}: {percent}"
    assert expected is None or abs(percent - expected * 100 / 65536) < 0.01, f"{name}: {percent}"
    if dialect is SPC4 or code not in OTHERWISE:
        assert text is not None and text.lower() == ASSIGNED[code].lower(), f"{name}: sg_decode_sense says {text}"
        return None
    known = text or f"nothing of {number[0]:02X}h/{number[1]:02X}h"
    return f"{code[0]:02X}h/{code[1]:02X}h is {OTHERWISE[code]} in r3; sg_decode_sense says: {known}"


def main():
    if shutil.which("sg_decode_sense") is None:
        print("WARNING: sg_decode_sense is not installed, no sense data are compared")
        return
    vectors = pathlib.Path(sys.argv[1])
    shared = {R3: "r3-mandatory", SPC4: "spc4-cbc128-sha1-modp2048-psk"}
    bench, count, differing = Bench(sys.argv[2:]), 0, set()
    provoked = {R3: set(), SPC4: set()}
    for dialect in (R3, SPC4):
        transcript = load(vectors / "transcripts" / f"{shared[dialect]}.json")
        for is_descriptor in (False, True):
            policy = dict(transcript["provisioning"]["policy"], descriptor_sense=is_descriptor)
            provisioning = dict(transcript["provisioning"], random=None, policy=policy)
            for name, provoke, *expected in cases(dialect):
                assert bench.ask(op="provision", provisioning=provisioning)["status"] == 0
                bench.provisioned = provisioning
                try:
                    provoke(Bad(bench, config(transcript), dialect, suite(transcript, dialect)))
                except Refused as refused:
                    differing.add(check(dialect, is_descriptor, f"{dialect.name}, {name}", refused.raw, *expected))
                    provoked[dialect].add(expected[1])
                    count += 1
                    continue
                raise AssertionError(f"{dialect.name}, {name}: it was not refused")
    bench.close()
    for dialect, (file, named) in zip((R3, SPC4), NAMED.items(), strict=True):
        guide = " ".join((vectors.parent / "src" / "guide" / file).read_text().split())
        for name, code in named.items():
            assert name in guide, f"{file} does not name {name} any more"
            assert code in provoked[dialect] | ELSEWHERE[file], f"{name} of {file} was not provoked"
    print(f"sg_decode_sense reads {count} sense data as the documents have them")
    for line in sorted(line for line in differing if line):
        print(f"  {line}")


if __name__ == "__main__":
    main()
