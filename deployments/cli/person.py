"""`tidegate person`: what one of the people needs to log in."""

from __future__ import annotations

from typing import Annotated

import typer

_SHORTEST = 12


def person(name: Annotated[str, typer.Argument(help="The name in `people` of tidegate.yaml.")]) -> None:
    """Make a password's hash and a new secret for one-time codes; ask for the password, keep nothing.

    Example: `tidegate person ada`. Put what it prints where `people.ada.password` and `people.ada.totp` refer to.
    """
    password = typer.prompt("Password (at least 12 characters)", hide_input=True, confirmation_prompt=True)
    if len(password) < _SHORTEST:
        from release.errors import Refused

        raise Refused(
            f"a password has at least {_SHORTEST} characters.", field="password", next_step="Choose a longer one."
        )
    import pyotp
    from argon2 import PasswordHasher

    secret = pyotp.random_base32()
    typer.echo(f"people.{name}.password: {PasswordHasher().hash(password)}")
    typer.echo(f"people.{name}.totp: {secret}")
    typer.echo(f"For the device: {pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name='Tidegate')}")
