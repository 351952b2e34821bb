import http.client
import unittest

from tests.running import RunningShop


class Security(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(RunningShop())

    def test_nothing_outside_the_catalogue_is_served(self):
        for path in (
            "/../shop/settings.py",
            "/api/products/..%2f..%2fetc%2fpasswd",
            "/shop/server.py",
            "/.env",
        ):
            with self.subTest(path=path):
                self.assertEqual(self.shop.get(path)[0], 404)

    def test_a_huge_body_is_not_read(self):
        connection = http.client.HTTPConnection(self.shop.url.removeprefix("http://"), timeout=5)
        self.addCleanup(connection.close)
        connection.putrequest("POST", "/api/orders")
        connection.putheader("Content-Length", str(10**9))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)

    def test_a_bad_body_is_refused_in_words(self):
        status, body = self.shop.post("/api/orders", b"\xff{")
        self.assertEqual(status, 422)
        self.assertIn("error", body)

    def test_headers(self):
        connection = http.client.HTTPConnection(self.shop.url.removeprefix("http://"), timeout=5)
        self.addCleanup(connection.close)
        connection.request("GET", "/")
        answer = connection.getresponse()
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertNotIn("Python", answer.headers["Server"])
