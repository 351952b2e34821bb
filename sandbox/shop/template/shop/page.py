"""The page that a customer sees."""

from html import escape

from shop.catalogue import listing, price

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Shop</title>
<h1>Shop</h1>
<ul>
{items}
</ul>
<footer>version {version}, {environment}</footer>
</html>
"""


def page(version: str, environment: str) -> str:
    """The products with their prices, and in the footer who serves them."""
    items = "\n".join(
        f"<li>{escape(str(item['name']))}: {price(int(str(item['price'])))}"
        f"{'' if item['available'] else ' (sold out)'}</li>"
        for item in listing()
    )
    return _PAGE.format(items=items, version=escape(version), environment=escape(environment))
