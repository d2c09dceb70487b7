"""The algorithms of IKEv2-SCSI, from the RFCs, on the package `cryptography`.

Written from the documents alone, as everything in this folder that speaks the protocol: it shares no code with the library that it is a
peer of. Numbers are those of RFC 4306's registries, which r3 uses as they are and SPC-4 with a prefix.
"""
import hashlib
import hmac
import os
import warnings

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

warnings.filterwarnings("ignore", module="cryptography")


class PeerFault(Exception):
    """The device server did something that it must not."""


def need(condition, what):
    if not condition:
        raise PeerFault(what)


# Pseudo-random functions ------------------------------------------------------------------------------------------------


def aes_block(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def aes_xcbc(key, message):
    """RFC 3566 4, without the truncation of its last step."""
    first, second, third = (aes_block(key, bytes([number]) * 16) for number in (1, 2, 3))
    blocks = [message[at : at + 16] for at in range(0, len(message), 16)] or [b""]
    state = bytes(16)
    for block in blocks[:-1]:
        state = aes_block(first, xor(state, block))
    last = blocks[-1]
    if len(last) == 16:
        last = xor(last, second)
    else:
        last = xor((last + b"\x80").ljust(16, b"\0"), third)
    return aes_block(first, xor(state, last))


def aes_xcbc_prf(key, message):
    """RFC 4434 2: a key that is too short is padded with zeros, one that is too long is a message under the key of zeros."""
    if len(key) > 16:
        key = aes_xcbc(bytes(16), key)
    return aes_xcbc(key.ljust(16, b"\0"), message)


def hmac_of(name):
    return lambda key, message: hmac.new(key, message, name).digest()


class Prf:
    def __init__(self, name, function, length):
        self.name, self.function, self.length = name, function, length

    def __call__(self, key, message):
        return self.function(key, message)

    def plus(self, key, seed, length):
        """prf+ of RFC 4306 2.13."""
        out, block, number = b"", b"", 0
        while len(out) < length:
            number += 1
            assert number <= 255
            block = self(key, block + seed + bytes([number]))
            out += block
        return out[:length]

    def skeyseed(self, nonce_i, nonce_r, shared):
        """RFC 4306 2.14: a function with keys of fixed length takes half of the key from each nonce."""
        if self.name == "AES128_XCBC":
            nonce_i, nonce_r = nonce_i[:8], nonce_r[:8]
        return self(nonce_i + nonce_r, shared)


PRFS = {
    0x02: Prf("HMAC_SHA1", hmac_of("sha1"), 20),
    0x04: Prf("AES128_XCBC", aes_xcbc_prf, 16),
    0x05: Prf("HMAC_SHA2_256", hmac_of("sha256"), 32),
    0x06: Prf("HMAC_SHA2_384", hmac_of("sha384"), 48),
    0x07: Prf("HMAC_SHA2_512", hmac_of("sha512"), 64),
}

# Integrity --------------------------------------------------------------------------------------------------------------


class Integrity:
    def __init__(self, name, function, key_length, length):
        self.name, self.function, self.key_length, self.length = name, function, key_length, length

    def __call__(self, key, message):
        return self.function(key, message)[: self.length]


INTEGRITY = {
    0x00: None,
    0x02: Integrity("HMAC_SHA1_96", hmac_of("sha1"), 20, 12),
    0x05: Integrity("AES_XCBC_96", aes_xcbc, 16, 12),
    0x0C: Integrity("HMAC_SHA2_256_128", hmac_of("sha256"), 32, 16),
    0x0D: Integrity("HMAC_SHA2_384_192", hmac_of("sha384"), 48, 24),
    0x0E: Integrity("HMAC_SHA2_512_256", hmac_of("sha512"), 64, 32),
}

# Encryption -------------------------------------------------------------------------------------------------------------


class Encryption:
    """ENCR_NULL and AES-CBC: `salt` and `tag` are zero, the integrity algorithm protects."""

    def __init__(self, name, salt, iv, align, tag):
        self.name, self.salt, self.iv, self.align, self.tag = name, salt, iv, align, tag

    def is_combined(self):
        return self.tag > 0

    def aead(self, key):
        key = key[: len(key) - self.salt]
        return AESCCM(key, tag_length=self.tag) if "CCM" in self.name else AESGCM(key)

    def seal(self, key, iv, associated, text):
        """The ciphertext, with a combined mode's tag behind it."""
        if self.is_combined():
            return self.aead(key).encrypt(key[len(key) - self.salt :] + iv, text, associated)
        if self.name == "NULL":
            return text
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        return encryptor.update(text) + encryptor.finalize()

    def open(self, key, iv, associated, text):
        if self.is_combined():
            try:
                return self.aead(key).decrypt(key[len(key) - self.salt :] + iv, text, associated)
            except InvalidTag:
                raise PeerFault("the integrity check value is wrong") from None
        if self.name == "NULL":
            return text
        need(len(text) % 16 == 0, "a ciphertext of AES-CBC that is no whole number of blocks")
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        return decryptor.update(text) + decryptor.finalize()


ENCRYPTION = {
    0x0B: Encryption("NULL", 0, 0, 1, 0),
    0x0C: Encryption("AES-CBC", 0, 16, 16, 0),
    0x0E: Encryption("AES-CCM-8", 3, 8, 4, 8),
    0x10: Encryption("AES-CCM-16", 3, 8, 4, 16),
    0x14: Encryption("AES-GCM-16", 4, 8, 4, 16),
}

# Diffie-Hellman ---------------------------------------------------------------------------------------------------------


def pi_bits(bits):
    """floor(2^bits * pi), by Machin's formula with 64 bits to spare."""
    unity = 1 << (bits + 64)

    def arctangent(inverse):
        term = total = unity // inverse
        divisor, sign = 3, -1
        while term:
            term //= inverse * inverse
            total += sign * (term // divisor)
            divisor, sign = divisor + 2, -sign
        return total

    return (4 * (4 * arctangent(5) - arctangent(239))) >> 64


class Modp:
    """RFC 3526: p = 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + c), and the generator 2."""

    def __init__(self, bits, constant):
        self.length = bits // 8
        self.bits, self.constant, self.known = bits, constant, None

    @property
    def prime(self):
        if self.known is None:
            n = self.bits
            self.known = 2**n - 2 ** (n - 64) - 1 + 2**64 * (pi_bits(n - 130) + self.constant)
        return self.known

    def generate(self):
        private = int.from_bytes(os.urandom(48), "big")
        return private, pow(2, private, self.prime).to_bytes(self.length, "big")

    def agree(self, private, public):
        need(len(public) == self.length, "a public value of a wrong length")
        value = int.from_bytes(public, "big")
        need(1 < value < self.prime - 1, "a public value out of range")
        return pow(value, private, self.prime).to_bytes(self.length, "big")


class Ecp:
    """RFC 5903: x and y without a byte before them; the secret is x."""

    def __init__(self, curve):
        self.curve = curve
        self.size = (curve.key_size + 7) // 8
        self.length = 2 * self.size

    def generate(self):
        private = ec.generate_private_key(self.curve)
        public = private.public_key().public_numbers()
        return private, public.x.to_bytes(self.size, "big") + public.y.to_bytes(self.size, "big")

    def agree(self, private, public):
        need(len(public) == self.length, "a public value of a wrong length")
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(self.curve, b"\x04" + public)
        except ValueError:
            raise PeerFault("a public value that is no point of the curve") from None
        return private.exchange(ec.ECDH(), point)


GROUPS = {
    0x0E: Modp(2048, 124476),
    0x0F: Modp(3072, 1690314),
    0x10: Modp(4096, 240904),
    0x11: Modp(6144, 929484),
    0x12: Modp(8192, 4743158),
    0x13: Ecp(ec.SECP256R1()),
    0x14: Ecp(ec.SECP384R1()),
    0x15: Ecp(ec.SECP521R1()),
}

# Authentication ---------------------------------------------------------------------------------------------------------

NONE, RSA, SHARED_KEY, ECDSA_256, ECDSA_384, ECDSA_521 = 0x00, 0x01, 0x02, 0x09, 0x0A, 0x0B
METHODS = {NONE: "none", RSA: "RSA", SHARED_KEY: "shared key", ECDSA_256: "ECDSA P-256", ECDSA_384: "ECDSA P-384", ECDSA_521: "ECDSA P-521"}
CURVES = {ECDSA_256: (ec.SECP256R1, hashes.SHA256()), ECDSA_384: (ec.SECP384R1, hashes.SHA384()), ECDSA_521: (ec.SECP521R1, hashes.SHA512())}


def mic(prf, key, octets):
    """Shared Key Message Integrity Code: RFC 4306 2.15 with the pad of IKEv2-SCSI."""
    return prf(prf(key, b"Key Pad for IKEv2-SCSI"), octets)


def method_of(key):
    """The AUTH METHOD of a private or public key."""
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return RSA
    for method, (curve, _) in CURVES.items():
        if isinstance(key.curve, curve):
            return method
    return None


def sign(key, octets, rsa_hash=None):
    """RSA as EMSA-PKCS1-v1_5, with SHA-1 unless told otherwise; ECDSA by RFC 4754, r and s next to each other."""
    method = method_of(key)
    if method == RSA:
        return key.sign(octets, padding.PKCS1v15(), rsa_hash or hashes.SHA1())
    _, digest = CURVES[method]
    r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(digest)))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def verify(key, octets, signature, rsa_hashes=None):
    method = method_of(key)
    if method == RSA:
        for digest in rsa_hashes or [hashes.SHA1()]:
            try:
                key.verify(signature, octets, padding.PKCS1v15(), digest)
                return
            except InvalidSignature:
                pass
        raise PeerFault("the device server's RSA signature is wrong")
    _, digest = CURVES[method]
    size = (key.curve.key_size + 7) // 8
    need(len(signature) == 2 * size, "an ECDSA signature of a wrong length")
    r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
    try:
        key.verify(encode_dss_signature(r, s), octets, ec.ECDSA(digest))
    except InvalidSignature:
        raise PeerFault("the device server's ECDSA signature is wrong") from None


def sha1(data):
    return hashlib.sha1(data).digest()
