import re
import unittest

from tests.running import RunningShop


class Purchase(unittest.TestCase):
    def test_a_customer_looks_chooses_and_orders(self):
        with RunningShop() as shop:
            self.assertIn("Stoneware mug", re.findall(r"<li>([^:]+):", shop.get("/")[1]))
            mug = next(item for item in shop.json("/api/products") if item["name"] == "Stoneware mug")
            self.assertTrue(mug["available"])
            status, order = shop.post("/api/orders", {"items": {mug["id"]: 3}})
            self.assertEqual((status, order["total"]), (201, 3 * mug["price"]))
            self.assertEqual(shop.end(), 0)
