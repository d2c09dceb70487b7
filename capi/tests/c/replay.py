#!/usr/bin/env python3
"""A device server from Python, by ctypes: replay.py LIBRARY HEADER TRANSCRIPT.json...

Its configuration is JSON text; the numbers of enumerations are read from the header, so that it and the library are compared
by what they mean. Each answer must be the recorded one of the independent implementation.
"""
import ctypes as c
import json
import re
import sys

library, header = c.CDLL(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()
CODES = {name: int(value) for name, value in re.findall(r"^  (IKEV2_SCSI_\w+) = (\d+),$", header, re.M)}
BUFFER = 65536


class Sense(c.Structure):
    _fields_ = [("length", c.c_uint32), ("bytes", c.c_uint8 * 32)]


class Reply(c.Structure):
    _fields_ = [
        ("status", c.c_uint32),
        ("sense", Sense),
        ("data_in_length", c.c_size_t),
        ("nexus", c.c_uint64),
        ("job", c.c_uint64),
    ]


FILL = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint32, c.POINTER(c.c_uint8), c.c_size_t)
PRIVATE_LENGTH = c.CFUNCTYPE(c.c_size_t, c.c_void_p, c.c_size_t)
DROP = c.CFUNCTYPE(None, c.c_void_p)


class Random(c.Structure):
    _fields_ = [("user", c.c_void_p), ("fill", FILL), ("private_length", PRIVATE_LENGTH), ("drop", DROP)]


class Event(c.Structure):
    _fields_ = [("kind", c.c_uint32), ("reason", c.c_uint32), ("at", c.c_uint64), ("has_nexus", c.c_int)] + [
        (name, c.c_uint64) for name in ("nexus", "ac_sai", "ds_sai", "count")
    ]
    _fields_.append(("text_length", c.c_size_t))


library.ikev2_scsi_error.restype = library.ikev2_scsi_version.restype = c.c_char_p
library.ikev2_scsi_open_handles.restype = c.c_size_t


def check(result, *allowed):
    wanted = [CODES["IKEV2_SCSI_RESULT_" + name] for name in allowed or ("OK",)]
    assert result in wanted, (result, library.ikev2_scsi_error())
    return result == CODES["IKEV2_SCSI_RESULT_OK"]


def configuration(transcript):
    given = transcript["provisioning"]
    server, policy = given["device_server"], given["policy"]
    types = {9: "der_asn1_dn", 10: "der_asn1_gn", 11: "key_id", 12: "fc_name"}

    def identity(member):
        return {"type": types[member["id_type"]], "hex": member["id"]}

    peers = [
        {"identity": identity(client), "preshared_key": {"hex": client["psk"]}}
        for client in given["clients"]
        if client.get("psk")
    ]
    names = ("max_protocol_timeout", "max_inactivity_timeout", "nonce_length")
    decisions = {name: policy[name] for name in names}
    decisions["usage_types"] = [{"code": code} for code in policy["usage_types"]]
    decisions |= {"waive_complete_row": True, "allow_no_authentication": True, "allow_triple_des": True}
    own = {"identity": identity(server), "preshared_key": {"hex": server["psk"]}}
    return json.dumps({"profile": given["profile"], "own": own, "peer": peers, "policy": decisions}).encode()


def make(transcript):
    drawn = transcript["provisioning"]["random"]["ccs"][0]
    values = {CODES["IKEV2_SCSI_PURPOSE_" + name.upper()]: bytes.fromhex(value) for name, value in drawn.items()}
    dropped = []

    def fill(_, purpose, out, length):
        value = values.get(purpose, b"")
        if len(value) != length:
            return 1
        c.memmove(out, value, length)
        return 0

    length = len(values[CODES["IKEV2_SCSI_PURPOSE_DH_PRIVATE"]])
    callbacks = Random(None, FILL(fill), PRIVATE_LENGTH(lambda *_: length), DROP(dropped.append))
    builder, server, text = c.c_void_p(), c.c_void_p(), configuration(transcript)
    check(library.ikev2_scsi_builder_from_json(text, c.c_size_t(len(text)), None, c.byref(builder)))
    check(library.ikev2_scsi_builder_random(builder, c.byref(callbacks)))
    capabilities = bytes.fromhex("".join(transcript["provisioning"]["capabilities"]))
    count = c.c_size_t(len(capabilities) // 12)
    check(library.ikev2_scsi_builder_fixed_capabilities(builder, capabilities, count))
    check(library.ikev2_scsi_builder_build(builder, c.byref(server)))
    return server, callbacks, dropped


def replay(path):
    transcript = json.load(open(path, encoding="utf-8"))
    server, callbacks, dropped = make(transcript)
    data_in, reply, event, text = (c.c_uint8 * BUFFER)(), Reply(), Event(), c.create_string_buffer(256)
    told = []
    for at, step in enumerate(transcript["steps"]):
        cdb, out = bytes.fromhex(step["cdb"]), bytes.fromhex(step.get("data_out", ""))
        sizes = [c.c_size_t(len(data)) for data in (cdb, out)]
        now = c.c_uint64(at)
        check(
            library.ikev2_scsi_server_execute(
                server, c.c_uint64(7), cdb, sizes[0], out, sizes[1], data_in, c.c_size_t(BUFFER), now, c.byref(reply)
            )
        )
        assert reply.status == step["status"], (path, at, reply.status)
        assert bytes(data_in[: reply.data_in_length]).hex() == step.get("data_in", ""), (path, at)
        assert bytes(reply.sense.bytes[: reply.sense.length]).hex() == step.get("sense", ""), (path, at)
        while check(library.ikev2_scsi_server_poll_event(server, c.byref(event), text, 256), "OK", "NONE"):
            told.append(event.kind)
            assert len(text.value) == event.text_length and event.nexus == 7 and event.at == at
    kinds = {name: told.count(CODES["IKEV2_SCSI_EVENT_KIND_" + name]) for name in ("CAPABILITIES_READ", "SA_CREATED")}
    assert kinds == {"CAPABILITIES_READ": 1, "SA_CREATED": len(transcript["sa"])}, (path, told)
    assert not dropped
    check(library.ikev2_scsi_server_free(server))
    check(library.ikev2_scsi_server_free(server), "INVALID_HANDLE")
    assert len(dropped) == 1 and callbacks.user is None
    print(f"{path}: {len(transcript['steps'])} commands")


for name in sys.argv[3:]:
    replay(name)
assert len(sys.argv) > 3 and library.ikev2_scsi_open_handles() == 0
print(f"replayed {len(sys.argv) - 3} transcripts from Python with version {library.ikev2_scsi_version().decode()}")
