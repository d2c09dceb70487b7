"""Ways to a logical unit: real iSCSI by libiscsi, and a device server in a process by JSON lines."""
import ctypes
import ctypes.util
import json
import subprocess


class TransportError(Exception):
    """The command did not get there, or its answer not here."""


class ScsiSense(ctypes.Structure):
    """`struct scsi_sense`: its three bits share a byte."""

    _fields_ = [
        ("error_type", ctypes.c_ubyte),
        ("key", ctypes.c_int),
        ("ascq", ctypes.c_int),
        ("bits", ctypes.c_ubyte),
        ("bit_pointer", ctypes.c_ubyte),
        ("field_pointer", ctypes.c_uint16),
    ]


class Data(ctypes.Structure):
    """`struct scsi_data` with an int, `struct iscsi_data` with a size_t: the pointer is at the same place."""

    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.POINTER(ctypes.c_ubyte))]


class ScsiData(ctypes.Structure):
    _fields_ = [("size", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_ubyte))]


class ScsiTask(ctypes.Structure):
    """The beginning of `struct scsi_task`."""

    _fields_ = [
        ("status", ctypes.c_int),
        ("cdb_size", ctypes.c_int),
        ("xfer_dir", ctypes.c_int),
        ("expxferlen", ctypes.c_int),
        ("cdb", ctypes.c_ubyte * 16),
        ("residual_status", ctypes.c_int),
        ("residual", ctypes.c_size_t),
        ("sense", ScsiSense),
        ("datain", ScsiData),
    ]


class IscsiUrl(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char * 256) for name in ("portal", "target", "user", "passwd", "target_user", "target_passwd")] + [
        ("lun", ctypes.c_int)
    ]


READ, WRITE, NO_DATA = 1, 2, 0


def library():
    name = ctypes.util.find_library("iscsi")
    if name is None:
        raise TransportError("libiscsi is not installed")
    found = ctypes.CDLL(name)
    for function, result in (
        ("iscsi_create_context", ctypes.c_void_p),
        ("iscsi_parse_full_url", ctypes.POINTER(IscsiUrl)),
        ("scsi_create_task", ctypes.POINTER(ScsiTask)),
        ("iscsi_scsi_command_sync", ctypes.POINTER(ScsiTask)),
        ("iscsi_get_error", ctypes.c_char_p),
    ):
        getattr(found, function).restype = result
    return found


class Iscsi:
    """One I_T nexus. libiscsi clears the unit attention of a new nexus itself."""

    number = 0

    def __init__(self, url, initiator=None):
        self.library, self.url = library(), url
        Iscsi.number += 1
        name = initiator or f"iqn.2007-04.org.example:python-{Iscsi.number}"
        self.context = ctypes.c_void_p(self.library.iscsi_create_context(name.encode()))
        parsed = self.library.iscsi_parse_full_url(self.context, url.encode())
        if not parsed:
            raise TransportError(self.error())
        self.lun = parsed.contents.lun
        self.library.iscsi_set_targetname(self.context, parsed.contents.target)
        self.library.iscsi_set_session_type(self.context, 2)
        self.library.iscsi_set_timeout(self.context, 30)
        portal = parsed.contents.portal
        if self.library.iscsi_full_connect_sync(self.context, portal, self.lun) != 0:
            raise TransportError(self.error())
        self.library.iscsi_destroy_url(parsed)

    def error(self):
        return (self.library.iscsi_get_error(self.context) or b"").decode(errors="replace").strip()

    def execute(self, cdb, data_out, length):
        block = (ctypes.c_ubyte * len(cdb))(*cdb)
        direction, size = (WRITE, len(data_out)) if data_out else ((READ, length) if length else (NO_DATA, 0))
        task = self.library.scsi_create_task(len(cdb), block, direction, size)
        data = None
        if data_out:
            bytes_out = (ctypes.c_ubyte * len(data_out))(*data_out)
            data = Data(len(data_out), ctypes.cast(bytes_out, ctypes.POINTER(ctypes.c_ubyte)))
        done = self.library.iscsi_scsi_command_sync(self.context, self.lun, task, ctypes.byref(data) if data else None)
        if not done:
            raise TransportError(self.error())
        result = done.contents
        status, got = result.status, bytes(result.datain.data[: result.datain.size]) if result.datain.size > 0 else b""
        self.library.scsi_free_scsi_task(done)
        if status not in range(256):
            raise TransportError(f"status {status:#x}: {self.error()}")
        # With CHECK CONDITION the data are the sense data, after their length.
        return (status, b"", got[2:]) if status == 2 else (status, got, b"")

    def another(self):
        """A second I_T nexus to the same logical unit."""
        return Iscsi(self.url)

    def close(self):
        if self.context:
            self.library.iscsi_logout_sync(self.context)
            self.library.iscsi_destroy_context(self.context)
            self.context = None


class Bench:
    """A program that is one logical unit: a JSON object for each command goes in, one for its answer comes out."""

    def __init__(self, command):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, **pipes)
        self.nexus = "A"

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise TransportError("the test bench ended")
        answer = json.loads(line)
        if "error" in answer:
            raise TransportError(answer["error"])
        return answer

    def execute(self, cdb, data_out, length):
        if cdb[0] == 0xB5:
            answer = self.ask(op="out", nexus=self.nexus, cdb=cdb.hex(), data=data_out.hex())
        else:
            answer = self.ask(op="in", nexus=self.nexus, cdb=cdb.hex())
        return answer["status"], bytes.fromhex(answer["data"]), bytes.fromhex(answer["sense"])

    def another(self):
        other = object.__new__(Bench)
        other.process, other.nexus = self.process, "B"
        return other

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
