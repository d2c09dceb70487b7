"""ESP-SCSI descriptors for tests/esp, by the Python package `cryptography` (OpenSSL).

    pip install cryptography==48.0.0
    python3 generate.py

writes esp.json beside itself, the same bytes each time. The keys are hashes of names: they protect nothing. Nothing here shares
code with the crate; the layout is that of SPC-4 5.14.7, written anew.
"""

import hashlib
import hmac
import json
import pathlib

import cryptography
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

AC_SAI, DS_SAI = 0x0A0B0C0D, 0xD0E0F001
COMBINED = 0xF0030001
# Name; ENCR identifier, KEY LENGTH, salt, IV, alignment; INTEG identifier, key, hash, ICV.
SUITES = [
    ("cbc256-sha512-256", 0x8001000C, 32, 0, 16, 16, 0x8003000E, 64, "sha512", 32),
    ("cbc128-sha1-96", 0x8001000C, 16, 0, 16, 16, 0x80030002, 20, "sha1", 12),
    ("gcm128", 0x80010014, 16, 4, 8, 4, COMBINED, 0, None, 16),
    ("gcm256", 0x80010014, 32, 4, 8, 4, COMBINED, 0, None, 16),
    ("ccm128", 0x80010010, 16, 3, 8, 4, COMBINED, 0, None, 16),
    ("null-sha1-96", 0x8001000B, 0, 0, 0, 4, 0x80030002, 20, "sha1", 12),
    ("null-sha256-128", 0x8001000B, 0, 0, 0, 4, 0x8003000C, 32, "sha256", 16),
]
LAST = 0xFFFFFFFFFFFFFFFF
# The last sequence number before it, the one in the descriptor.
SEQUENCES = [(1, 2), (1, 33), (0x0123456789ABCDEF, 0x0123456789ABCDF0), (LAST - 1, LAST)]
LENGTHS = [0, 1, 2, 13, 14, 15, 16, 17, 32, 100]


def octets(name, length):
    return hashlib.shake_256(name.encode()).digest(length)


def seal(suite, key, integrity_key, aad, iv, data, extra):
    """ENCRYPTED OR AUTHENTICATED DATA and INTEGRITY CHECK VALUE."""
    _, encr, key_length, _, _, alignment, integ, _, digest, icv_length = suite
    if encr != 0x8001000B:
        # `extra` whole units more than needed: a sender may pad up to 255 bytes.
        pad = -(len(data) + 2) % alignment + extra * alignment
        data = data + bytes(range(1, pad + 1)) + bytes([pad, 0])
    if integ == COMBINED:
        mode = AESGCM(key[:key_length]) if encr == 0x80010014 else AESCCM(key[:key_length], tag_length=icv_length)
        sealed = mode.encrypt(key[key_length:] + iv, data, aad)
        return sealed[:-icv_length], sealed[-icv_length:]
    if encr != 0x8001000B:
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        data = encryptor.update(data) + encryptor.finalize()
    return data, hmac.new(integrity_key, aad + iv + data, digest).digest()[:icv_length]


def case(suite, keymat, flow, with_length, last, sequence, length, number):
    name, _, key_length, salt, iv_length, _, integ, integrity_length, _, _ = suite
    back = flow == "in"
    keys = keymat[2 * integrity_length:]
    whole = key_length + salt
    key = keys[whole:] if back else keys[:whole]
    integrity_key = keymat[integrity_length:2 * integrity_length] if back else keymat[:integrity_length]
    data = octets(f"{name} data {number}", length)
    # Every fifth descriptor is one that this crate opens and does not build: another IV, or more padding.
    foreign = number % 5 == 4 and iv_length > 0
    iv = octets(f"{name} iv {number}", iv_length)
    if integ == COMBINED and not foreign:
        iv = sequence.to_bytes(8, "big")
    aad = (AC_SAI if back else DS_SAI).to_bytes(4, "big") + sequence.to_bytes(8, "big")
    text, icv = seal(suite, key, integrity_key, aad, iv, data, 1 if foreign else 0)
    body = aad + iv + text + icv
    head = (len(body) + 2).to_bytes(2, "big") + bytes(2) if with_length else bytes(4)
    return {"flow": flow, "with_length": with_length, "built": not foreign, "last": f"{last:016x}",
            "sequence": f"{sequence:016x}", "iv": iv.hex(), "data": data.hex(), "descriptor": (head + body).hex()}


def association(suite):
    name, encr, key_length, salt, _, _, integ, integrity_length, _, _ = suite
    keymat = octets(f"{name} keymat", 2 * (integrity_length + key_length + salt))
    cases = []
    for i, length in enumerate(LENGTHS):
        for j, (flow, with_length) in enumerate([("out", True), ("in", True), ("out", False), ("in", False)]):
            last, sequence = SEQUENCES[(i + j) % len(SEQUENCES)]
            cases.append(case(suite, keymat, flow, with_length, last, sequence, length, 4 * i + j))
    return {"name": name, "encr": f"{encr:08x}", "key_length": key_length, "integ": f"{integ:08x}", "keymat": keymat.hex(),
            "cases": cases}


def main():
    file = {"origin": f"generate.py, cryptography {cryptography.__version__}", "ac_sai": f"{AC_SAI:08x}",
            "ds_sai": f"{DS_SAI:08x}", "associations": [association(suite) for suite in SUITES]}
    path = pathlib.Path(__file__).with_name("esp.json")
    path.write_text(json.dumps(file, indent=1) + "\n")


if __name__ == "__main__":
    main()
