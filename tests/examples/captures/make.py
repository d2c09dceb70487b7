#!/usr/bin/env python3
"""Files of packets that carry the recorded transcripts over iSCSI, made from the formats' documents and nothing else.

iSCSI: RFC 7143. Files: pcap and pcapng as their Internet drafts describe them. `python3 make.py [FOLDER]` writes the same bytes each
time. What each file is for stands beside its name at the end. The files called `tgtd-*` are recordings, and no work of this program.
"""
import json
import pathlib
import random
import socket
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
TRANSCRIPTS = HERE.parent.parent.parent / "vectors" / "transcripts"

CRC = []
for index in range(256):
    value = index
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    CRC.append(value)


def crc32c(data):
    """The digest of iSCSI, in the order of its bytes on the wire."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 0xFF]
    return struct.pack("<I", crc ^ 0xFFFFFFFF)


def checksum(data):
    """The Internet checksum."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Session:
    """One iSCSI connection, as (from the initiator?, bytes of a PDU) in order."""

    def __init__(self, transcript, digests=False, r2t=False, ahs=False, status_in_data=True, login=True, lun=1):
        self.header_digest = self.data_digest = False
        self.pdus = []
        self.lun = struct.pack(">H6x", lun)
        self.tag = 0x10000000
        self.r2t, self.ahs, self.status_in_data = r2t, ahs, status_in_data
        if login:
            self.login(digests)
        self.header_digest = self.data_digest = digests
        for step in transcript["steps"]:
            self.command(step)

    def pdu(self, is_initiator, header, data=b"", ahs=b""):
        assert len(header) == 48 and len(ahs) % 4 == 0
        header = header[:4] + bytes([len(ahs) // 4]) + len(data).to_bytes(3, "big") + header[8:]
        out = header + ahs
        if self.header_digest:
            out += crc32c(out)
        if data:
            padded = data + b"\0" * (-len(data) % 4)
            out += padded
            if self.data_digest:
                out += crc32c(padded)
        self.pdus.append((is_initiator, out))

    def login(self, digests):
        wanted = "CRC32C,None" if digests else "None"
        given = "CRC32C" if digests else "None"
        isid = bytes.fromhex("00023d010203")
        names = {
            "InitiatorName": "iqn.2007-04.org.example:host-1",
            "TargetName": "iqn.2007-04.org.example:drive-9",
            "SessionType": "Normal",
            "AuthMethod": "None",
        }

        def text(pairs):
            return b"".join(f"{key}={value}\0".encode() for key, value in pairs.items())

        # Security negotiation, its text in two PDUs: the first has the C bit.
        whole = text(names)
        head = struct.pack(">BB2x4x6sHI2s2xII16x", 0x43, 0x40, isid, 0, 1, b"\0\0", 1, 0)
        self.pdu(True, head, whole[:41])
        answer = struct.pack(">BB2x4x6sHI4xIIIBB10x", 0x23, 0x00, isid, 0, 1, 0, 1, 2, 0, 0)
        self.pdu(False, answer)
        head = struct.pack(">BB2x4x6sHI2s2xII16x", 0x43, 0x81, isid, 0, 1, b"\0\0", 1, 0)
        self.pdu(True, head, whole[41:])
        answer = struct.pack(">BB2x4x6sHI4xIIIBB10x", 0x23, 0x81, isid, 1, 1, 0, 1, 2, 0, 0)
        self.pdu(False, answer, b"AuthMethod=None\0")
        # Operational negotiation, then the full feature phase.
        head = struct.pack(">BB2x4x6sHI2s2xII16x", 0x43, 0x87, isid, 0, 1, b"\0\0", 1, 0)
        self.pdu(True, head, text({"HeaderDigest": wanted, "DataDigest": wanted, "ImmediateData": "Yes"}))
        answer = struct.pack(">BB2x4x6sHI4xIIIBB10x", 0x23, 0x87, isid, 1, 1, 0, 1, 2, 0, 0)
        self.pdu(False, answer, text({"HeaderDigest": given, "DataDigest": given}))

    def command(self, step):
        self.tag += 1
        cdb = bytes.fromhex(step["cdb"]).ljust(16, b"\0")
        data_out = bytes.fromhex(step.get("data_out") or "")
        data_in = bytes.fromhex(step.get("data_in") or "")
        sense = bytes.fromhex(step["sense"])
        is_write = step["op"] == "out"
        expected = len(data_out) if is_write else struct.unpack(">I", cdb[6:10])[0]
        # With R2T, a third of the data goes along at once; without, all.
        at_once = len(data_out) // 3 if self.r2t else len(data_out)
        flags = 0x80 | (0x20 if is_write else 0x40)
        head = struct.pack(">BB2x4x8sIIII16s", 0x01, flags, self.lun, self.tag, expected, 1, 1, cdb)
        # An additional header segment of a type that nobody has defined.
        extra = struct.pack(">HBx4s", 5, 0x3F, b"\xA2\x41\x01\x02") if self.ahs else b""
        self.pdu(True, head, data_out[:at_once], extra)
        if is_write:
            at, number = at_once, 0
            while at < len(data_out):
                piece = data_out[at : at + 100]
                r2t = struct.pack(">BB2x4x8sIIIIIIII", 0x31, 0x80, self.lun, self.tag, 7, 1, 1, 2, number, at, len(piece))
                self.pdu(False, r2t)
                half = len(piece) // 2
                for start, part, last in ((at, piece[:half], 0), (at + half, piece[half:], 0x80)):
                    out = struct.pack(">BB2x4x8sII4xI4xII4x", 0x05, last, self.lun, self.tag, 7, 1, 0, start)
                    self.pdu(True, out, part)
                at, number = at + len(piece), number + 1
        is_whole = is_write or not self.status_in_data or step["status"] != 0 or not data_in
        pieces = [data_in[at : at + 300] for at in range(0, len(data_in), 300)]
        for number, piece in enumerate(pieces):
            has_status = not is_whole and number == len(pieces) - 1
            flags = 0x81 if has_status else 0x00
            head = struct.pack(
                ">BBxB4x8sIIIIIIII", 0x25, flags, step["status"], self.lun, self.tag, 0xFFFFFFFF, 1, 1, 2, number, number * 300, 0
            )
            self.pdu(False, head, piece)
        if is_whole:
            segment = struct.pack(">H", len(sense)) + sense if sense else b""
            head = struct.pack(">BBBB4x8xI4xIII12x", 0x21, 0x80, 0, step["status"], self.tag, 1, 1, 2)
            self.pdu(False, head, segment)


class Tcp:
    """Segments of a session: (from the initiator?, bytes of the TCP header and data), without addresses."""

    def __init__(self, session, ports, mss=1448, mess=None, begin=True, start=(0xFFFFFF00, 0x10203040)):
        self.segments = []
        self.ports = ports
        self.next = {True: start[0], False: start[1]}
        if begin:
            self.put(True, 0x02, b"")
            self.put(False, 0x12, b"")
            self.put(True, 0x10, b"")
        for is_initiator, data in session.pdus:
            run = []
            for at in range(0, len(data), mss):
                run.append(self.make(is_initiator, 0x18, data[at : at + mss]))
                self.next[is_initiator] = (self.next[is_initiator] + len(data[at : at + mss])) & 0xFFFFFFFF
            if mess:
                # Out of order, and some of them twice.
                run = run + [segment for segment in run if mess.random() < 0.2]
                mess.shuffle(run)
            self.segments += run
        if begin:
            self.put(True, 0x11, b"")
            self.put(False, 0x11, b"")

    def make(self, is_initiator, flags, data):
        source, target = self.ports if is_initiator else self.ports[::-1]
        ack = 0 if flags == 0x02 else self.next[not is_initiator]
        options = b"\x02\x04\x05\xb4" if flags & 0x02 else b"\x01\x01\x08\x0a" + bytes(8)
        offset = (20 + len(options)) // 4 << 4
        header = struct.pack(">HHIIBBHHH", source, target, self.next[is_initiator], ack, offset, flags, 65535, 0, 0)
        return is_initiator, header + options + data

    def put(self, is_initiator, flags, data):
        self.segments.append(self.make(is_initiator, flags, data))
        if flags & 0x03:
            self.next[is_initiator] = (self.next[is_initiator] + 1) & 0xFFFFFFFF


def summed(source, target, tcp):
    """The TCP segment with its checksum."""
    pseudo = source + target + (struct.pack(">BBH", 0, 6, len(tcp)) if len(source) == 4 else struct.pack(">I3xB", len(tcp), 6))
    return tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]


def ipv4(ends, number):
    source, target = (socket.inet_pton(socket.AF_INET, end) for end in ends)

    def wrap(is_initiator, tcp):
        pair = (source, target) if is_initiator else (target, source)
        tcp = summed(*pair, tcp)
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), number, 0x4000, 64, 6, 0, *pair)
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + tcp

    return wrap


def ipv6(ends, extension=False):
    source, target = (socket.inet_pton(socket.AF_INET6, end) for end in ends)

    def wrap(is_initiator, tcp):
        pair = (source, target) if is_initiator else (target, source)
        tcp = summed(*pair, tcp)
        # Destination options: PadN of four bytes.
        options = bytes([6, 0, 1, 4, 0, 0, 0, 0]) if extension else b""
        return struct.pack(">IHBB16s16s", 6 << 28, len(options) + len(tcp), 60 if extension else 6, 64, *pair) + options + tcp

    return wrap


def ethernet(kind, tag=None):
    middle = b"" if tag is None else struct.pack(">HH", 0x8100, tag)
    return lambda ip: b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02" + middle + struct.pack(">H", kind) + ip.ljust(46, b"\0")


def sll(kind):
    return lambda ip: struct.pack(">HHH8sH", 0, 1, 6, b"\x02\0\0\0\0\x01", kind) + ip


def sll2(kind):
    return lambda ip: struct.pack(">HHIHBB8s", kind, 0, 3, 1, 0, 6, b"\x02\0\0\0\0\x01") + ip


def null(family):
    return lambda ip: struct.pack("<I", family) + ip


def raw(ip):
    return ip


def pcap(packets, link, order="<", magic=0xA1B2C3D4, units=1_000_000):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for number, packet in enumerate(packets):
        out += struct.pack(order + "IIII", 1_700_000_000 + number // 100, number % 100 * (units // 100), len(packet), len(packet))
        out += packet
    return out


def block(kind, body, order):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(packets, links, order="<"):
    """Packets are (interface, bytes); the second interface counts in 2^-20 s."""
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + struct.pack(order + "HH", 0, 0), order)
    for number, link in enumerate(links):
        resolution = bytes([0x94]) if number == 1 else bytes([6])
        options = struct.pack(order + "HH", 9, 1) + resolution + b"\0\0\0" + struct.pack(order + "HH", 0, 0)
        out += block(1, struct.pack(order + "HHI", link, 0, 262144) + options, order)
    # A block that nobody needs: name resolution, with an end and no more.
    out += block(4, struct.pack(order + "HH", 0, 0), order)
    for number, (interface, packet) in enumerate(packets):
        time = (1_700_000_000 * (1 << 20) if interface == 1 else 1_700_000_000 * 1_000_000) + number * 10_000
        body = struct.pack(order + "IIIII", interface, time >> 32, time & 0xFFFFFFFF, len(packet), len(packet))
        out += block(6, body + packet + b"\0" * (-len(packet) % 4), order)
    return out


def read(name):
    return json.loads((TRANSCRIPTS / f"{name}.json").read_text())


def main():
    v4, v6 = ("198.51.100.7", "198.51.100.9"), ("2001:db8::7", "2001:db8::9")
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    write = lambda name, data: (folder / name).write_bytes(data)
    # Ethernet with a VLAN tag; all data at once, the status with the Data-In.
    tcp = Tcp(Session(read("r3-mandatory")), (40000, 3260))
    frames = [ethernet(0x0800, 5)(ipv4(v4, n & 0xFFFF)(*segment)) for n, segment in enumerate(tcp.segments)]
    write("r3-mandatory.pcap", pcap(frames, 1))
    # The same without the packets of the key exchange IN: what comes after is still read.
    lost = next(n for n, (out, data) in enumerate(tcp.segments) if not out and b"\xF2\x04" in data)
    write("r3-mandatory-lost.pcap", pcap(frames[:lost] + frames[lost + 1 :], 1))
    # IPv6 in the second cooked form, digests, R2T, pieces of 536 bytes out of order and repeated, on a port of no name.
    session = Session(read("spc4-table82-row1"), digests=True, r2t=True, status_in_data=False)
    tcp = Tcp(session, (40001, 13260), mss=536, mess=random.Random(1))
    write("spc4-table82-row1.pcapng", pcapng([(0, sll2(0x86DD)(ipv6(v6)(*segment))) for segment in tcp.segments], [276]))
    # The first cooked form, all numbers big endian, nanoseconds, additional header segments, sequence numbers that overflow.
    tcp = Tcp(Session(read("r3-ccm16-128-sha256-modp2048-psk"), ahs=True, r2t=True, lun=0x4102), (40002, 23290), mss=61)
    frames = [sll(0x0800)(ipv4(v4, 9)(*segment)) for segment in tcp.segments]
    write("r3-ccm16.pcap", pcap(frames, 113, ">", 0xA1B23C4D, 1_000_000_000))
    # Two connections in turn on two interfaces, loopback and raw IP with an extension header; another order of bytes.
    first = Tcp(Session(read("r3-gcm-128-sha256-ecp256-ecdsa256")), (40003, 3260), mss=400)
    second = Tcp(Session(read("spc4-cbc128-sha1-modp2048-psk"), lun=0), (40004, 3260), mss=400)
    packets = [(0, null(2)(ipv4(("127.0.0.1", "127.0.0.1"), 1)(*segment))) for segment in first.segments]
    others = [(1, raw(ipv6(("::1", "::1"), True)(*segment))) for segment in second.segments]
    mixed = [packet for pair in zip(packets, others) for packet in pair]
    mixed += packets[len(others) :] + others[len(packets) :]
    write("two-connections.pcapng", pcapng(mixed, [0, 101], ">"))
    # No beginning, digests that nobody tells, and the first packet ends a PDU that the capture does not have.
    session = Session(read("r3-gcm-128-sha256-ecp256-ecdsa256"), digests=True, login=False)
    session.pdus.insert(0, (True, bytes.fromhex("ff" * 64)))
    tcp = Tcp(session, (40005, 9999), begin=False)
    write("no-login.pcap", pcap([raw(ipv4(v4, 2)(*segment)) for segment in tcp.segments], 101))


if __name__ == "__main__":
    main()
