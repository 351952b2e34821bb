import http.client
import signal
import unittest

from tests.running import RunningShop


class Critical(unittest.TestCase):
    def test_health_and_an_order(self):
        with RunningShop() as shop:
            self.assertEqual(shop.json("/health"), {"status": "ok"})
            self.assertEqual(shop.post("/api/orders", {"items": {"mug": 2}}), (201, {"total": 2500}))

    def test_an_order_in_flight_is_finished_after_sigterm(self):
        with RunningShop(DRAIN_S="0.3") as shop:
            order = b'{"items": {"mug": 1}}'
            connection = http.client.HTTPConnection(shop.url.removeprefix("http://"), timeout=5)
            self.addCleanup(connection.close)
            connection.putrequest("POST", "/api/orders")
            connection.putheader("Content-Length", str(len(order)))
            connection.endheaders(order[:5])
            shop.get("/version")
            shop.process.send_signal(signal.SIGTERM)
            while shop.get("/health")[0] == 200:
                pass
            connection.send(order[5:])
            self.assertEqual(connection.getresponse().status, 201)
            self.assertEqual(shop.end(), 0)
