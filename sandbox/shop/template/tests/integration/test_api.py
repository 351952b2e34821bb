import unittest

from tests.running import RunningShop


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(RunningShop(ENVIRONMENT="test", REGION="here", BUILD_TYPE="hotfix"))

    def test_products(self):
        self.assertEqual(len(self.shop.json("/api/products")), 4)
        self.assertEqual(self.shop.json("/api/products/mug")["price"], 1250)
        self.assertEqual(self.shop.get("/api/products/sofa")[0], 404)

    def test_the_environment_is_told(self):
        about = self.shop.json("/version")
        self.assertEqual(about["version"], "9.9.9")
        self.assertEqual((about["environment"], about["region"], about["build_type"]), ("test", "here", "hotfix"))

    def test_metrics_count(self):
        self.shop.get("/nowhere")
        self.assertIn('shop_http_requests_total{version="9.9.9",code="404"}', self.shop.get("/metrics")[1])

    def test_the_page_names_its_version(self):
        status, text = self.shop.get("/")
        self.assertEqual(status, 200)
        self.assertIn("version 9.9.9", text)
