"""A certificate for a server that is not on the loopback, where clients send no password unencrypted."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_VALID = timedelta(days=30)


def context_of(file: Path, names: Iterable[str]) -> ssl.SSLContext:
    """What a server needs to prove that it is ``names``; the certificate, new and its own authority, goes to ``file``.

    The key is nowhere but in the context.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(key, names).public_bytes(serialization.Encoding.PEM)
    with tempfile.TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(certificate + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_bytes(certificate)
    fresh.replace(file)
    return context


def _signed(key: ec.EllipticCurvePrivateKey, names: Iterable[str]) -> x509.Certificate:
    now = datetime.now(timezone.utc)
    oneself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OCP sandbox")])
    return (
        x509.CertificateBuilder()
        .subject_name(oneself)
        .issuer_name(oneself)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
