"""A recording without the right to capture: a proxy for TCP that writes what it passes on as packets."""
import socket
import struct
import threading
import time

# pcap 2.4, least significant byte first, raw IP.
HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
SEGMENT = 1400


class Proxy:
    """Listens on a port of its own, and connects to the target's for each connection."""

    def __init__(self, path, target):
        self.target, self.lock = target, threading.Lock()
        self.file = open(path, "wb")
        self.file.write(HEAD)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, (_, port) = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            state = {"next": {True: 1000, False: 2000}, "port": port}
            for is_client, flags in ((True, 0x02), (False, 0x12), (True, 0x10)):
                self.write(state, is_client, flags, b"")
            for source, sink, is_client in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.pass_on, args=(source, sink, is_client, state), daemon=True).start()

    def pass_on(self, source, sink, is_client, state):
        try:
            while data := source.recv(65536):
                for at in range(0, len(data), SEGMENT):
                    self.write(state, is_client, 0x18, data[at : at + SEGMENT])
                sink.sendall(data)
            self.write(state, is_client, 0x11, b"")
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def write(self, state, is_client, flags, data):
        """One segment between addresses of their own, in the order in which they came here."""
        ends = (b"\x7f\0\0\x01", b"\x7f\0\0\x02")
        ports = (state["port"], self.target)
        order = slice(None) if is_client else slice(None, None, -1)
        with self.lock:
            number, acknowledged = state["next"][is_client], state["next"][not is_client] if flags & 0x10 else 0
            tcp = struct.pack(">HHIIBBHHH", *ports[order], number, acknowledged, 0x50, flags, 65535, 0, 0) + data
            packet = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + b"".join(ends[order]) + tcp
            state["next"][is_client] = number + len(data) + (1 if flags & 0x03 else 0)
            now = time.time()
            self.file.write(struct.pack("<IIII", int(now), int(now % 1 * 1_000_000), len(packet), len(packet)) + packet)
            self.file.flush()

    def stop(self):
        self.listener.close()
        time.sleep(0.2)
        with self.lock:
            self.file.close()
