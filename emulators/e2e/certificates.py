"""Certificate chains, as far as an end-to-end test needs them: names, validity, signatures, up to a known authority."""
import datetime
import time

from algorithms import PeerFault, need
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key, load_pem_public_key


class Anchor:
    """An authority that is trusted."""

    def __init__(self, certificate):
        self.certificate = certificate
        public = certificate.public_key()
        # RFC 4306 3.7 hashes the whole SubjectPublicKeyInfo.
        self.spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @staticmethod
    def of(data):
        pem = data.lstrip().startswith(b"-----")
        return Anchor(x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data))


def public_key(data):
    """A public key out of a SubjectPublicKeyInfo or a certificate, PEM or DER."""
    if data.lstrip().startswith(b"-----BEGIN CERTIFICATE"):
        return x509.load_pem_x509_certificate(data).public_key()
    if data.lstrip().startswith(b"-----"):
        return load_pem_public_key(data)
    return load_der_public_key(data)


def leaf_key(chain, config):
    """The key of the first certificate, if the others lead to an authority. Each must be issued by the next."""
    try:
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
    except ValueError as error:
        raise PeerFault(f"a certificate cannot be read: {error}") from None
    at = datetime.datetime.fromtimestamp(config.unix_time or time.time(), datetime.timezone.utc)
    known = {anchor.certificate.subject.public_bytes(): anchor.certificate for anchor in config.anchors}
    for number, certificate in enumerate(certificates):
        need(certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc, "a certificate out of its time")
        anchor = known.get(certificate.issuer.public_bytes())
        issuer = anchor or (certificates[number + 1] if number + 1 < len(certificates) else None)
        need(issuer is not None, "a chain that leads to no authority of ours")
        try:
            certificate.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError) as error:
            raise PeerFault(f"a certificate that its issuer did not sign: {error}") from None
        if number > 0:
            constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
            need(constraints.ca, "a certificate that may not issue others")
        if anchor is not None:
            return certificates[0].public_key()
    raise PeerFault("a chain that leads to no authority of ours")
