"""Which answer a request gets: a status, a content type and a body."""

import json
from dataclasses import asdict

from shop.catalogue import PRODUCTS, listing
from shop.orders import BadOrder, total
from shop.page import page
from shop.settings import Settings

JSON = "application/json"
Reply = tuple[int, str, bytes]


def get(path: str, settings: Settings) -> Reply:
    """Answer a GET."""
    if path == "/":
        return 200, "text/html; charset=utf-8", page(settings.version, settings.environment).encode()
    if path == "/version":
        names = ("version", "commit", "environment", "region", "build_type")
        return as_json(200, {name: getattr(settings, name) for name in names})
    if path == "/api/products":
        return as_json(200, listing())
    if path.startswith("/api/products/"):
        product = PRODUCTS.get(path.removeprefix("/api/products/"))
        return as_json(200, asdict(product)) if product else missing()
    return missing()


def post(path: str, body: bytes) -> Reply:
    """Answer a POST: `/api/orders` with `{"items": {product: count}}` gives the total."""
    if path != "/api/orders":
        return missing()
    try:
        return as_json(201, {"total": total(json.loads(body))})
    except (BadOrder, UnicodeDecodeError, json.JSONDecodeError) as error:
        return as_json(422, {"error": str(error)})


def missing() -> Reply:
    return as_json(404, {"error": "not found"})


def as_json(status: int, body: object) -> Reply:
    return status, JSON, json.dumps(body).encode()
