"""Orders: priced, and checked against the catalogue."""

from shop.catalogue import PRODUCTS

MOST = 20


class BadOrder(ValueError):
    """The order cannot be taken; the message says why."""


def total(order: object) -> int:
    """The price in cents of `{"items": {product: count}}`. Raises BadOrder."""
    items = order.get("items") if isinstance(order, dict) else None
    if not isinstance(items, dict) or not items:
        raise BadOrder("an order needs items")
    return sum(_line(product, count) for product, count in items.items())


def _line(product: str, count: object) -> int:
    if product not in PRODUCTS:
        raise BadOrder(f"no such product: {product!r}")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST:
        raise BadOrder(f"{product}: the count must be between 1 and {MOST}")
    if count > PRODUCTS[product].stock:
        raise BadOrder(f"{product}: only {PRODUCTS[product].stock} left")
    return PRODUCTS[product].price * count
