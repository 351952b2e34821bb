"""A certificate for 127.0.0.1, for proxies before an API server whose own certificate is not valid there."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.controlplane.keys import write_secret

_LIFE = datetime.timedelta(days=365)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A new certificate (which is its own authority, for a year) and its key in `folder`, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tidegate-sandbox")])
    now = datetime.datetime.now(datetime.UTC)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(loopback, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "proxy.crt", folder / "proxy.key"
    folder.mkdir(parents=True, exist_ok=True)
    write_secret(paths[0], certificate.public_bytes(serialization.Encoding.PEM))
    write_secret(paths[1], _private(key))
    return paths


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
