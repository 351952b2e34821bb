"""What every endpoint shares: who asks, what a body must hold, and refusals in the form that GitHub gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

# Whose token the request came with.
LOGIN = web.RequestKey("login", str)
_DOCS = "https://docs.github.com/rest"


class Problem(Exception):
    """Ends a request with `status` and GitHub's error object."""

    def __init__(self, status: int, message: str, errors: Sequence[Mapping[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "documentation_url": _DOCS, "status": str(status)}
        self.errors = errors

    def response(self) -> web.Response:
        extra = {} if self.errors is None else {"errors": list(self.errors)}
        return web.json_response({**self.body, **extra}, status=self.status)


def not_found() -> Problem:
    return Problem(404, "Not Found")


def invalid(resource: str, code: str, field: str, message: str | None = None) -> Problem:
    """422 with one entry; `code` is GitHub's word: missing, missing_field, invalid, already_exists, custom."""
    entry = {"resource": resource, "code": code, "field": field} | ({"message": message} if message else {})
    return Problem(422, "Validation Failed", [entry])


async def body_of(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. Raises Problem 400 for anything else."""
    try:
        body = await request.json() if request.can_read_body else {}
    except ValueError:
        raise Problem(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise Problem(400, "Body should be a JSON object")
    return body


def required(body: Mapping[str, Any], *names: str) -> list[str]:
    """The texts at `names`. Raises Problem 422 for one that is missing or not a text."""
    for name in names:
        if not isinstance(body.get(name), str) or not body[name]:
            raise Problem(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    return [body[name] for name in names]
