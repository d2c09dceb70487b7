#!/usr/bin/env python3
"""End-to-end tests: real iSCSI, peers that share no code, and tools that know nothing of this project as judges.

    e2e.py [--full] [--port N]

`emulators/e2e/check` builds what is needed and runs it. Each test is printed with its time; what a machine cannot do is skipped with
a warning. `--full` adds libiscsi's own test suite with and without the plugin, which takes minutes.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import provisioning
import wire

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
INSPECT, SHIM = TARGET / "examples" / "inspect", TARGET / "examples" / "shim"
INITIATOR = TARGET / "ikev2-scsi-initiator"
TGT = ROOT / "emulators" / "tgt" / "run"

# dialect, method, its algorithms, whether by certificates: CBC with HMAC-SHA1, GCM and CCM; the two rows of SPC-4 table 82.
SCENARIOS = [
    ("r3", "shared-key", ("aes-cbc-128", "hmac-sha1", "hmac-sha1-96", "modp-2048"), False),
    ("r3", "rsa", ("aes-gcm-16-128", "hmac-sha256", "none", "modp-2048"), True),
    ("r3", "ecdsa-256", ("aes-ccm-16-128", "hmac-sha256", "none", "ecp-256"), False),
    ("spc4", "shared-key", ("aes-cbc-128", "hmac-sha1", "hmac-sha1-96", "modp-2048"), False),
    ("spc4", "rsa", ("aes-gcm-16-128", "hmac-sha256", "none", "modp-2048"), True),
    ("spc4", "ecdsa-521", ("aes-cbc-256", "hmac-sha512", "hmac-sha512-256", "ecp-521"), False),
]


class Skipped(Exception):
    """This machine cannot do it."""


class Results:
    def __init__(self):
        self.rows, self.failed = [], False

    def test(self, name, function, *arguments):
        start = time.monotonic()
        try:
            outcome, detail = "ok", function(*arguments) or ""
        except Skipped as why:
            outcome, detail = "skipped", str(why)
            print(f"WARNING: {name}: {why}", flush=True)
        except Exception as error:
            outcome, detail = "FAILED", f"{type(error).__name__}: {error}"
            self.failed = True
        seconds = time.monotonic() - start
        self.rows.append((name, outcome, seconds, detail))
        print(f"{outcome:8} {seconds:6.1f} s  {name}: {detail}", flush=True)

    def table(self):
        width = max(len(name) for name, *_ in self.rows)
        print(f"\n{'test':{width}}  outcome   seconds")
        for name, outcome, seconds, _ in sorted(self.rows):
            print(f"{name:{width}}  {outcome:8} {seconds:8.1f}")
        counts = {kind: sum(outcome == kind for _, outcome, *_ in self.rows) for kind in ("ok", "skipped", "FAILED")}
        print(", ".join(f"{count} {kind}" for kind, count in counts.items()))


def program(*arguments, **more):
    """Runs one of this folder's programs, or another; its standard output."""
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, timeout=600, **more)
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 0, f"{arguments[0]} ended with {done.returncode}:\n{said[-3000:]}"
    return done.stdout


def bench():
    lines = program(sys.executable, HERE / "bench_test.py", ROOT / "vectors", SHIM).splitlines()
    created = sum("created" in line for line in lines)
    return f"{lines[0]}, {created} suites, {sum('changed answers' in line for line in lines)} x changed answers"


def senses():
    if shutil.which("sg_decode_sense") is None:
        raise Skipped("sg_decode_sense is not installed")
    text = program(sys.executable, HERE / "senses.py", ROOT / "vectors", SHIM)
    return text.strip()


# Files that `make.py` makes of transcripts: the transcript, and the port.
HAND_MADE = {
    "r3-mandatory.pcap": ("r3-mandatory", 3260),
    "spc4-table82-row1.pcapng": ("spc4-table82-row1", 13260),
    "r3-ccm16.pcap": ("r3-ccm16-128-sha256-modp2048-psk", 23290),
}


def hand_made(folder):
    """The files that cargo's tests read are those that their script makes, and tshark reads the same commands out of them."""
    captures = ROOT / "tests" / "examples" / "captures"
    folder.mkdir()
    program(sys.executable, captures / "make.py", folder)
    made = sorted(path.name for path in folder.iterdir())
    assert len(made) >= 6, made
    for name in made:
        assert (folder / name).read_bytes() == (captures / name).read_bytes(), f"{name} is not what make.py makes"
    if shutil.which("tshark") is None:
        raise Skipped("tshark is not installed")
    count = 0
    for name, (transcript, port) in HAND_MADE.items():
        path = captures / name
        seen = wire.inspected(INSPECT, path, port, ROOT / "vectors" / "transcripts" / f"{transcript}.json")
        found = wire.opcodes(path, port)
        assert found == seen["commands"], f"{name}: tshark sees {found}, inspect {seen['commands']}"
        count += len(found)
    return f"{len(made)} files; tshark sees the same {count} commands in {len(HAND_MADE)} of them"


def transcripts_decrypted(folder):
    """tshark opens the recorded exchanges too, of which neither side is ours: each of their algorithms."""
    if shutil.which("tshark") is None:
        raise Skipped("tshark is not installed")
    counts = {"correct": 0, "none": 0}
    for path in sorted((ROOT / "vectors" / "transcripts").glob("*.json")):
        steps = json.loads(path.read_text())["steps"]
        messages = [bytes.fromhex(step.get("data_out") or step.get("data_in") or "") for step in steps if step["cdb"][2:4] == "41"]
        sealed = sum(len(message) > 28 and message[16] == 0x2E for message in messages)
        program(INSPECT, "--wireshark", folder / path.stem, path)
        found = []
        for name, flags in (("out", wire.CLIENT), ("in", wire.SERVER)):
            found += wire.verdicts(folder / path.stem / "messages.pcap", folder / path.stem / name, flags)
        assert len(found) == sealed, f"{path.stem}: {sealed} payloads, {found}"
        # Wireshark has no name for AES-XCBC-96: it decrypts and does not verify.
        expected = "none" if "xcbc96" in path.stem else "correct"
        for verdict, inner in found:
            assert verdict == expected and inner[-1] in ("Authentication", "Delete"), f"{path.stem}: {found}"
            counts[verdict] += 1
    return f"{counts['correct']} Encrypted payloads [correct], {counts['none']} decrypted and not verified"


def refused_over_iscsi(folder, dialect, port):
    """Sense data through tgtd, of what only a provisioning can bring about."""
    if shutil.which("sg_decode_sense") is None:
        raise Skipped("sg_decode_sense is not installed")
    server, client = provisioning.make(folder, dialect, *SCENARIOS[0][1:])
    told = json.loads(server.read_text())
    told["sense"] = "descriptor"
    if dialect == "r3":
        told["sense_codes"] = "assigned"
    else:
        told["limits"] = {"sas": 1}
        told["policy"] |= {"one_sequence": True}
    server.write_text(json.dumps(told))
    return at_target(dialect, server, port, sys.executable, HERE / "senses_iscsi.py", client).strip()


def at_target(dialect, server, port, *command):
    """Runs a command while tgtd with the plugin serves a logical unit."""
    if shutil.which("tgtd") is None:
        raise Skipped("tgtd is not installed")
    if "IKEV2_SCSI_NO_ISCSI" in os.environ:
        raise Skipped("there is no libiscsi")
    if os.geteuid() != 0:
        raise Skipped("tgtd wants root")
    return program(TGT, "--dialect", dialect, "--provisioning", server, "--port", port, "--once", *command)


def over_iscsi(folder, scenario, port):
    """Both initiators, one after the other, with the wire recorded."""
    dialect, method, algorithms, with_certificates = scenario
    server, client = provisioning.make(folder, dialect, method, algorithms, with_certificates)
    inside = [sys.executable, HERE / "e2e.py", "--inside", folder, "--port", str(port), client]
    return at_target(dialect, server, port, *inside).strip().replace("\n", "; ")


def inside(folder, client, port):
    """What `over_iscsi` runs beside tgtd."""
    keys = folder / "keys"
    recording = wire.Recording(folder / "recording.pcapng", port)
    url = os.environ["ISCSI_URL"].replace(f":{port}/", f":{recording.port}/")
    try:
        print(program(sys.executable, HERE / "create_sa.py", url, client, "--key-log", keys).splitlines()[0])
        if not INITIATOR.exists():
            raise AssertionError("the initiator is not built")
        saved = folder / "saved"
        program(INITIATOR, url, "create", "--provisioning", client, "--keylog", keys, "--save", saved)
        program(INITIATOR, url, "delete", saved)
        print("and by ikev2-scsi-initiator" + (f"; recorded by a proxy: {recording.why}" if recording.why else ""))
    finally:
        recording.stop()


def recorded(folder):
    path = folder / "recording.pcapng"
    if not path.exists():
        raise Skipped("nothing was recorded")
    return path


def dissected(folder, port):
    """`inspect` opens everything; tshark sees the same commands in the same file."""
    path = recorded(folder)
    seen = wire.inspected(INSPECT, path, port, folder / "keys")
    assert seen["authentications"] == 4, seen
    # The Python initiator sends a second Delete, which is refused.
    assert seen["deletes"] >= 3 and seen["refused"] >= 1, seen
    if shutil.which("tshark") is None:
        raise Skipped("tshark is not installed")
    found = wire.opcodes(path, port)
    assert found == seen["commands"], f"tshark sees {found}, inspect {seen['commands']}"
    return f"{len(found)} commands, all opened; tshark sees the same"


def decrypted(folder, port):
    if shutil.which("tshark") is None:
        raise Skipped("tshark is not installed")
    count = wire.decrypted(INSPECT, recorded(folder), port, folder / "keys", folder / "wireshark")
    return f"{count} Encrypted payloads [correct], with one bit changed each [incorrect"


def suite_results(text):
    """Tests run, passed and failed, and the names of those that failed, out of what iscsi-test-cu prints."""
    found = re.search(r"^\s*tests\s+\d+\s+(\d+)\s+(\d+)\s+(\d+)", text, re.M)
    assert found, text[-1000:]
    failed = [f"{suite}.{name}" for suite, name in re.findall(r"^Suite (\S+), Test (\S+) had failures:", text, re.M)]
    counts = tuple(int(number) for number in found.groups())
    assert len(failed) == counts[2], f"{counts[2]} failed, named are {failed}"
    return counts, sorted(failed)


def plain_target(folder, port):
    """tgtd without the plugin, with a disk of the same size; what to do in order to stop it."""
    disk = folder / "disk"
    disk.write_bytes(bytes(16 << 20))
    process = subprocess.Popen(["tgtd", "-f", "-C", str(port), "--iscsi", f"portal=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    admin = ["tgtadm", "-C", str(port), "--lld", "iscsi"]
    tell = lambda *words: subprocess.run(admin + list(words), capture_output=True, text=True, timeout=20)
    until = time.monotonic() + 20
    while tell("--op", "show", "--mode", "system").returncode != 0:
        assert time.monotonic() < until, "tgtd does not start"
        time.sleep(0.05)
    target = ["--mode", "target", "--tid", "1"]
    for words in (
        ["--op", "new", *target, "--targetname", "iqn.2007-04.org.example:plain"],
        ["--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "--backing-store", str(disk)],
        ["--op", "bind", *target, "--initiator-address", "127.0.0.1"],
    ):
        done = tell(*words)
        assert done.returncode == 0, done.stderr

    def stop():
        for _ in range(100):
            tell("--op", "delete", *target, "--force")
            if "Target 1" not in tell("--op", "show", "--mode", "target").stdout:
                break
            time.sleep(0.1)
        tell("--op", "delete", "--mode", "system")
        process.wait(timeout=20)

    return f"iscsi://127.0.0.1:{port}/iqn.2007-04.org.example:plain/1", stop


def same_passes(folder, port):
    """iscsi-test-cu against a disk with the plugin, and against one of tgtd alone."""
    if shutil.which("iscsi-test-cu") is None:
        raise Skipped("iscsi-test-cu is not installed")
    server, _ = provisioning.make(folder, "r3", "shared-key", SCENARIOS[0][2], False)
    command = "iscsi-test-cu -d -n {url} 2>&1 || true"
    with_plugin = suite_results(at_target("r3", server, port, "bash", "-c", command.format(url='"$ISCSI_URL"')))
    url, stop = plain_target(folder, port + 1)
    try:
        without = suite_results(program("bash", "-c", command.format(url=url)))
    finally:
        stop()
    assert with_plugin == without, f"with the plugin {with_plugin}, without {without}"
    (ran, passed, failed), _ = without
    return f"{ran} tests, {passed} pass and the same {failed} fail with the plugin and without"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="libiscsi's test suite too")
    parser.add_argument("--port", type=int, default=23290)
    parser.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("client", nargs="?", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.inside:
        return inside(told.inside, told.client, told.port)
    results = Results()
    with tempfile.TemporaryDirectory() as scratch:
        chains = [
            [("Python initiator, device server in a process", bench)],
            [("sg_decode_sense", senses)],
        ]
        for number, scenario in enumerate(SCENARIOS):
            folder, name, port = pathlib.Path(scratch) / str(number), " ".join(scenario[:2]), told.port + number
            chains.append(
                [
                    (f"{name}: created and deleted over iSCSI by both initiators", over_iscsi, folder, scenario, port),
                    (f"{name}: inspect and tshark read the recording", dissected, folder, port),
                    (f"{name}: tshark decrypts", decrypted, folder, port),
                ]
            )
        for number, dialect in enumerate(("r3", "spc4")):
            folder, port = pathlib.Path(scratch) / f"refused-{dialect}", told.port + 6 + number
            chains.append([(f"{dialect}: sg_decode_sense, through tgtd", refused_over_iscsi, folder, dialect, port)])
        chains.append([("hand-made files of packets", hand_made, pathlib.Path(scratch) / "captures")])
        chains.append([("tshark decrypts the transcripts", transcripts_decrypted, pathlib.Path(scratch) / "transcripts")])
        # As many as there are processors: most of the time one program waits for another.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for chain in [pool.submit(lambda tests=tests: [results.test(*test) for test in tests]) for tests in chains]:
                chain.result()
        if told.full:
            results.test("iscsi-test-cu with and without the plugin", same_passes, pathlib.Path(scratch) / "suite", told.port + 8)
    results.table()
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
