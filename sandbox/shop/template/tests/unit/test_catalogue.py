import unittest

from shop.catalogue import PRODUCTS, listing, price
from shop.page import page


class Catalogue(unittest.TestCase):
    def test_prices_are_written_with_two_decimals(self):
        self.assertEqual([price(5), price(1250), price(12900)], ["0.05", "12.50", "129.00"])

    def test_the_listing_is_by_name_and_says_what_is_left(self):
        names = [item["name"] for item in listing()]
        self.assertEqual(names, sorted(names))
        self.assertEqual(len(names), len(PRODUCTS))
        self.assertFalse(next(item for item in listing() if item["id"] == "tray")["available"])

    def test_the_page_shows_every_product_and_escapes(self):
        text = page("<1>", "test")
        self.assertEqual(text.count("<li>"), len(PRODUCTS))
        self.assertIn("&lt;1&gt;", text)
