"""What went over the wire of a test: recorded by dumpcap, and read by `inspect` and by tshark, which share nothing."""
import os
import pathlib
import re
import shutil
import subprocess
import time

from proxy import Proxy

# A message's flags byte tells who sent it: INTTR for the application client, RSPNS for the device server.
CLIENT, SERVER = 0x10, 0x04


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, f"{command}: {done.stderr.strip()[-2000:]}"
    return done.stdout


class Recording:
    """dumpcap on the loopback interface; where it cannot, `why` tells, and a proxy on `port` records."""

    def __init__(self, path, port):
        self.path, self.process, self.why, self.port, self.proxy = pathlib.Path(path), None, None, port, None
        self.capture(path, port)
        if self.why:
            self.proxy = Proxy(path, port)
            self.port = self.proxy.port

    def capture(self, path, port):
        if shutil.which("dumpcap") is None or "IKEV2_SCSI_PROXY" in os.environ:
            self.why = "dumpcap is not installed, or not wanted"
            return
        command = ["dumpcap", "-q", "-i", "lo", "-f", f"tcp port {port}", "-w", str(path)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + 10
        # It writes the file's head once it captures.
        while not (self.path.exists() and self.path.stat().st_size > 0):
            if self.process.poll() is not None or time.monotonic() > until:
                self.why = "dumpcap cannot capture here: " + self.process.communicate(timeout=5)[1].strip()[-200:]
                self.process = None
                return
            time.sleep(0.02)
        time.sleep(0.2)

    def stop(self):
        if self.proxy is not None:
            self.proxy.stop()
            return
        # The kernel hands packets on in groups.
        time.sleep(0.5)
        self.process.terminate()
        self.process.wait(timeout=20)


def inspected(inspect, recording, port, keys):
    """Everything opened, and nothing to remark."""
    text = run([inspect, "--port", str(port), "--keys", str(keys), str(recording)])
    for wrong in ("not opened", "error:", "Remark:", "Note:"):
        assert wrong not in text, f"inspect: {[line for line in text.splitlines() if wrong in line][:3]}"
    return {
        "commands": re.findall(r"^SECURITY PROTOCOL (IN|OUT): ", text, re.M),
        "authentications": text.count("Authentication (AUTH), byte"),
        "deletes": text.count("Delete (D), byte"),
        "refused": text.count("Status: CHECK CONDITION"),
    }


def opcodes(recording, port):
    """The SECURITY PROTOCOL commands that tshark's dissectors of iSCSI and SCSI find, in order: A2h is IN, B5h is OUT."""
    fields = [part for kind in ("sbc", "ssc") for part in ("-e", f"scsi_{kind}.opcode")]
    text = run(
        ["tshark", "-r", str(recording), "-o", "tcp.reassemble_out_of_order:TRUE", "-d", f"tcp.port=={port},iscsi", "-Y", "iscsi.opcode == 0x01", "-T", "fields"]
        + ["-e", "scsi.spc.opcode", *fields]
    )
    names = {"0xa2": "IN", "0xb5": "OUT"}
    # One command to a segment, since both initiators wait for each answer; its immediate data name the opcode again.
    words = [re.split(r"[\s,]+", line.strip().lower())[0] for line in text.splitlines()]
    return [names[word] for word in words if word in names]


def verdicts(pcap, config, flags):
    """tshark's verdicts on the check values of the messages with these flags."""
    environment = dict(os.environ, WIRESHARK_CONFIG_DIR=str(config))
    text = run(["tshark", "-r", str(pcap), "-V"], env=environment)
    found = []
    for frame in re.split(r"^Frame \d+:", text, flags=re.M)[1:]:
        told = re.search(r"^\s*Flags: 0x(\w\w)", frame[frame.find("Internet Security Association") :], re.M)
        if told and int(told.group(1), 16) == flags and "Integrity Checksum Data" in frame:
            inner = re.findall(r"Payload: (Identification|Authentication|Delete)", frame)
            found.append(("correct" if "[correct]" in frame else "incorrect" if "[incorrect" in frame else "none", inner))
    return found


def flipped(source, target):
    """Each message with one bit of the last byte but one changed: inside of the check value."""
    data, at = bytearray(source.read_bytes()), 24
    while at < len(data):
        length = int.from_bytes(data[at + 8 : at + 12], "big")
        at += 16 + length
        data[at - 2] ^= 0x10
    target.write_bytes(data)


def header_flipped(source, target):
    """Each message with a bit of its LENGTH's neighbour changed: MESSAGE ID, which the check value covers."""
    data, at = bytearray(source.read_bytes()), 24
    while at < len(data):
        length = int.from_bytes(data[at + 8 : at + 12], "big")
        # 16 bytes of the record, IP and UDP, then byte 20 of the header.
        data[at + 16 + 28 + 20] ^= 0x40
        at += 16 + length
    target.write_bytes(data)


def decrypted(inspect, recording, port, keys, folder):
    """tshark's dissector of IKE decrypts every Encrypted payload and finds its check value right; and wrong when it is."""
    run([inspect, "--port", str(port), "--keys", str(keys), "--wireshark", str(folder), str(recording)])
    pcap, count = folder / "messages.pcap", 0
    for name, flags in (("out", CLIENT), ("in", SERVER)):
        found = verdicts(pcap, folder / name, flags)
        assert found and all(verdict == "correct" for verdict, _ in found), f"{name}: {found}"
        assert all("Authentication" in inner or "Delete" in inner for _, inner in found), f"{name}: {found}"
        count += len(found)
        for change in (flipped, header_flipped):
            change(pcap, folder / "changed.pcap")
            wrong = verdicts(folder / "changed.pcap", folder / name, flags)
            assert len(wrong) == len(found) and all(verdict == "incorrect" for verdict, _ in wrong), f"{change.__name__}: {wrong}"
    return count
