#!/usr/bin/env python3
"""Writes a transcript of vectors/transcripts as lines of words, which a program in C reads: transcript.py IN.json > OUT.txt

Descriptors under its association come from esp.json beside this file, which generate_esp.py has written.
"""
import base64
import json
import pathlib
import sys

KINDS = ["rsa", "p256", "p384", "p521"]
SHOWS = {"nothing": 0, "on request": 1, "certificates": 2, "raw key": 3}
FIELDS = {"p256": 32, "p384": 48, "p521": 66}
# The parameters of an association by the numbers of ikev2_scsi_sa_bytes.
PARAMETERS = {"AC_NONCE": 0, "DS_NONCE": 1, "USAGE_DATA": 3, "KEY_SEED": 16, "KEYMAT": 17}
MANAGEMENT = {"SK_ei": 18, "SK_ai": 19, "SK_er": 20, "SK_ar": 21}
# By the numbers of ikev2_scsi_policy.
POLICY = {"max_protocol_timeout": 0, "max_inactivity_timeout": 1, "nonce_length": 2}


def line(*words):
    print(*[str(word) if word != "" else "-" for word in words])


def der(pem):
    lines = [text for text in pem.splitlines() if text and not text.startswith("-----")]
    return base64.b64decode("".join(lines)).hex()


def public_key(kind, spki):
    """What stands in the BIT STRING of a SubjectPublicKeyInfo."""
    data = bytes.fromhex(spki)
    if kind == "rsa":
        at = data.index(bytes.fromhex("300d06092a864886f70d0101010500")) + 15
        assert data[at] == 3 and data[at + 1] == 0x82 and data[at + 4] == 0
        return data[at + 5 :]
    point = data[-(2 * FIELDS[kind] + 1) :]
    assert point[0] == 4
    return point


def shows(side, kind):
    chain = side["certs"].get(kind)
    if side["send_cert"] == "raw" and kind == "rsa":
        return SHOWS["raw key"]
    if chain:
        return SHOWS["certificates" if side["send_cert"] == "x509" else "on request"]
    return SHOWS["nothing"]


def main():
    transcript = json.load(open(sys.argv[1], encoding="utf-8"))
    given, ccs = transcript["provisioning"], transcript["ccs"][0]
    server, policy = given["device_server"], given["policy"]
    line("dialect", {"r3": 0, "spc4": 1}[given["profile"]])
    line("capabilities", "".join(given["capabilities"]))
    line("identity", server["id_type"], server["id"])
    line("psk", server["psk"])
    for client in given["clients"]:
        if client.get("psk"):
            line("client", client["id_type"], client["id"], client["psk"])
        for key in client.get("public_keys", []):
            line("known", client["id_type"], client["id"], key)
    for anchor in given["trust_anchors"]:
        line("anchor", anchor)
    for name, number in POLICY.items():
        line("policy", number, policy[name])
    # ENCR_3DES and IKE_AUTH_NONE are offered where the capabilities list them; certificates are not revoked and need not
    # name their owners; Certificate Requests are sent where the transcript has them.
    for number, value in [(3, 1), (4, 1), (5, 1), (13, int(bool(server["certreq"]))), (14, 0), (15, 2)]:
        line("policy", number, value)
    line("limit", 8, policy["max_auth_failures"])
    for usage in policy["usage_types"]:
        line("usage", usage)
    for index, kind in enumerate(KINDS):
        for certificate in server["certs"].get(kind, []):
            line("certificate", index, certificate)
        line("key", index, der(server["keys"][kind]), shows(server, kind))
    method = int(transcript["identifiers"]["server AUTH"], 16) & 0xFF
    if method in (1, 9, 10, 11):
        index = {1: 0, 9: 1, 10: 2, 11: 3}[method]
        kind = KINDS[index]
        key = public_key(kind, transcript["client"]["server"]["public_keys"][index])
        line("signer", index, key.hex(), ccs["octets_r"], ccs["auth_r"], shows(server, kind))
    line("time", policy["unix_time"])
    drawn = given["random"]["ccs"][0]
    line("random", drawn["ds_sai"], drawn["dh_private"], drawn["nonce"], drawn["iv"])
    for step in transcript["steps"]:
        words = [step.get(name, "") for name in ("cdb", "data_out", "data_in", "status", "sense")]
        line("step", ord(step["nexus"]), *words)
    descriptors = json.loads(pathlib.Path(__file__).with_name("esp.json").read_text(encoding="utf-8"))
    for case in descriptors.get(pathlib.Path(sys.argv[1]).stem, []):
        line("esp", case["flow"], 0 if case["with_length"] else 1, case["iv"], case["data"], case["descriptor"])
    for sa in transcript["sa"]:
        line("sa", int(sa["AC_SAI"], 16), int(sa["DS_SAI"], 16), sa["TIMEOUT"], sa["KDF_ID"], sa["USAGE_TYPE"])
        management = sa["MGMT_DATA"]
        line("management", *[management[name] for name in ("ENCR", "KEY LENGTH", "INTEG", "NEXT MESSAGE ID")])
        for name, number in PARAMETERS.items():
            line("parameter", number, sa.get(name, ""))
        for name, number in MANAGEMENT.items():
            line("parameter", number, management.get(name, ""))
        client = transcript["client"]
        if transcript["identifiers"]["client AUTH"][-2:] != "00":
            line("parameter", 4, client["id"])
        else:
            line("parameter", 4, "")


main()
