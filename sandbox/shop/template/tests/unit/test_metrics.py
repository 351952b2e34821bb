import unittest

from shop.metrics import Metrics


class Counting(unittest.TestCase):
    def test_answers_are_counted_by_code(self):
        metrics = Metrics("1.4.0")
        for code in (200, 200, 404):
            metrics.count(code, 0.25)
        text = metrics.text()
        self.assertIn('shop_http_requests_total{version="1.4.0",code="200"} 2\n', text)
        self.assertIn('shop_http_requests_total{version="1.4.0",code="404"} 1\n', text)
        self.assertIn("shop_http_request_duration_seconds_sum 0.750000\n", text)
