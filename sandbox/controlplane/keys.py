"""The control plane's secrets: tokens and the key that signs service account tokens, kept from run to run."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Keys:
    """Files for the flags of the servers, and the two tokens in `tokens`."""

    tokens: Path
    signing_key: Path
    verifying_key: Path
    admin_token: str
    manager_token: str


def ensure_keys(folder: Path) -> Keys:
    """Read the keys in `folder`, or make them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = folder / "tokens.csv", folder / "service-account.key", folder / "service-account.pub"
    if not all(path.exists() for path in paths):
        _make(*paths)
    admin, manager = (line.split(",")[0] for line in paths[0].read_text().splitlines())
    return Keys(*paths, admin_token=admin, manager_token=manager)


def _make(tokens: Path, signing_key: Path, verifying_key: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    users = ("tidegate-sandbox", "system:kube-controller-manager")
    # One token runs all controllers, so it needs the rights of each: system:masters.
    lines = [f'{secrets.token_urlsafe(32)},{user},{user},"system:masters"\n' for user in users]
    write_secret(signing_key, private)
    write_secret(verifying_key, public)
    write_secret(tokens, "".join(lines).encode())


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)
