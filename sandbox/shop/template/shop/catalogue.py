"""What is for sale. Prices are in cents."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Product:
    id: str
    name: str
    price: int
    stock: int


PRODUCTS = {
    product.id: product
    for product in (
        Product("kettle", "Enamel kettle", 3900, 12),
        Product("lamp", "Reading lamp", 5450, 7),
        Product("mug", "Stoneware mug", 1250, 80),
        Product("tray", "Ash tray table", 12900, 0),
    )
}


def listing() -> list[dict[str, object]]:
    """Every product, by name, with whether it can be bought."""
    ordered = sorted(PRODUCTS.values(), key=lambda product: product.name)
    return [asdict(product) | {"available": product.stock > 0} for product in ordered]


def price(cents: int) -> str:
    """1250 as `12.50`."""
    return f"{cents // 100}.{cents % 100:02d}"
