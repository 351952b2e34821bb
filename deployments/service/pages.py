"""What every page of the operator service has in common: its templates, its headers, its errors as pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse

from deployments.service.limits import TooLarge, body_of
from release.errors import Refused, TidegateError, Unavailable

FOLDER = Path(__file__).parent / "web"
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
# Only what comes from here is run or shown: no inline script or style, no frame, no other address.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MOST_BYTES = 16_384


class Forbidden(Refused):
    """Somebody who may not do that, or a form that is not ours."""


class Elsewhere(Exception):
    """The browser is to go to another path of the service."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class PageRoute(APIRoute):
    """A route whose errors are pages, and whose answers have the headers of a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def page(request: Request) -> Response:
            try:
                answer = await handle(request)
            except Elsewhere as there:
                answer = RedirectResponse(there.path, status_code=303)
            except TidegateError as error:
                answer = html("problem.html", _status(error), error=error)
            for name, value in _HEADERS.items():
                answer.headers.setdefault(name, value)
            return answer

        return page


def html(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from a template of the folder `web`."""
    return HTMLResponse(TEMPLATES.get_template(template).render(**values), status_code=status)


async def form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises Refused for one that is too large, too slow, cut short or no form."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise Refused("this is no form.", field="body")
    try:
        body = await body_of(request, _MOST_BYTES)
    except TooLarge:
        what = f"the form is larger than {_MOST_BYTES} bytes."
        raise Refused(what, field="body", next_step="Write less.") from None
    except TimeoutError:
        raise Refused("the form did not come in time.", field="body", next_step="Send it again.") from None
    try:
        fields = dict(parse_qsl(body.decode(), max_num_fields=50, keep_blank_values=True))
    except ValueError:
        raise Refused("the form cannot be read.", field="body") from None
    # No keyboard sends it, and PostgreSQL keeps no text with it.
    if any("\0" in text for text in (*fields, *fields.values())):
        raise Refused("the form cannot be read.", field="body")
    return fields


def local_path(path: str) -> str:
    """`path` where it is one of this service, else the board: a link must not lead people away."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def _status(error: TidegateError) -> int:
    if isinstance(error, Unavailable):
        return 503
    return 403 if isinstance(error, Forbidden) else 422


def _asset(name: str) -> str:
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/assets/{name}?{digest}"


TEMPLATES.globals["asset"] = _asset
