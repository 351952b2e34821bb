import unittest

from shop.orders import BadOrder, total


class Orders(unittest.TestCase):
    def test_the_total_is_in_cents(self):
        self.assertEqual(total({"items": {"mug": 2, "lamp": 1}}), 2 * 1250 + 5450)

    def test_what_cannot_be_ordered(self):
        for items in (
            {},
            {"sofa": 1},
            {"mug": 0},
            {"mug": -1},
            {"mug": 21},
            {"mug": True},
            {"lamp": 8},
            {"tray": 1},
        ):
            with self.subTest(items=items), self.assertRaises(BadOrder):
                total({"items": items})

    def test_what_is_no_order(self):
        for order in (None, [], {}, {"items": ["mug"]}):
            with self.subTest(order=order), self.assertRaises(BadOrder):
                total(order)
