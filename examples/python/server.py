"""The server of a small shop: Python 3.9 or later, no packages. python3 server.py

It registers orders, shows a page that pays them, delivers when the webhook says so, and refunds.
A real shop keeps `orders` and `seen` in its database, and writes both in one transaction.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

PORT = int(os.environ.get("PORT", "8080"))
PAYMENTS_URL = os.environ.get("PAYMENTS_URL", "http://127.0.0.1:3000")  # the output ApiUrl
PAYMENTS_KEY = os.environ.get("PAYMENTS_KEY", "sk_money_local")  # npm run ops -- keys
WEBHOOK_SECRET = os.environ.get("WEBHOOK_SECRET", "")  # whsec_…
ADMIN_TOKEN = os.environ.get("ADMIN_TOKEN", "")  # of the shop's own staff, who may refund
CHECKOUT_JS = os.environ.get("CHECKOUT_JS", "http://127.0.0.1:3000/checkout.global.js")  # serve your own copy of it
IAMPORT_JS = os.environ.get("IAMPORT_JS", "http://127.0.0.1:3001/js/iamport.payment-1.2.0.js")

# With an empty secret any caller could sign a webhook, and with an empty token any caller could refund.
if not WEBHOOK_SECRET.startswith("whsec_") or not ADMIN_TOKEN:
    raise SystemExit("Set WEBHOOK_SECRET=whsec_… and ADMIN_TOKEN.")

orders = {}  # merchant_uid -> {"delivered": how often the goods were sent}
seen = set()  # the webhook-ids that were processed
lock = threading.Lock()


def payments(method, path, body=None, headers=None):
    """Calls the payment backend. Returns the status and the parsed body."""
    request = urllib.request.Request(PAYMENTS_URL + path, method=method, headers=dict(headers or {}))
    request.add_header("authorization", "Bearer " + PAYMENTS_KEY)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=15) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def register_order():
    """Registers an order at the shop's own price. The browser never says what it costs."""
    merchant_uid = "shop-" + secrets.token_hex(8)  # hard to guess
    terms = {"amount": 14000, "name": "Flowers"}
    status, body = payments("PUT", "/orders/" + merchant_uid, terms)
    if status != 201:
        return 502, body
    orders[merchant_uid] = {"delivered": 0}
    return 201, {"merchant_uid": merchant_uid, **terms}


def is_signed(headers, body):
    """Standard Webhooks: the signature is of `id.timestamp.body`, and there may be several of them."""
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) >= 300:
        return False
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    signatures = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def receive_webhook(headers, body):
    """Delivers a paid order once, however often the webhook comes."""
    if not is_signed(headers, body):
        return 401, {"error": "wrong signature"}
    with lock:
        if headers["webhook-id"] in seen:
            return 200, {}
        event = json.loads(body)
        merchant_uid = event["data"].get("merchant_uid")
        print("webhook:", event["type"], merchant_uid, flush=True)
        if event["type"] == "Payment Paid" and merchant_uid in orders:
            # Events may come late. The backend knows how the order is now.
            status, order = payments("GET", "/orders/" + quote(merchant_uid, safe=""))
            if status != 200:
                return 503, {"error": "send it again"}
            # A part of it may have been refunded meanwhile.
            if order["status"] in ("paid", "partial_cancelled"):
                orders[merchant_uid]["delivered"] += 1
        seen.add(headers["webhook-id"])
    return 200, {}


def refund(merchant_uid):
    path = f"/orders/{quote(merchant_uid, safe='')}/refunds"
    return payments("POST", path, {"reason": "Sold out"}, {"idempotency-key": "all"})


PAGE = f"""<!doctype html><meta charset="utf-8"><title>Flowers</title>
<button id="pay">Buy flowers, 14,000 won</button><p id="result"></p>
<script src="{IAMPORT_JS}"></script><script src="{CHECKOUT_JS}"></script>
<script>
  IMP.init('imp00000000');
  document.querySelector('#pay').onclick = async () => {{
    const order = await (await fetch('/orders', {{ method: 'POST' }})).json();
    const result = await IamportCheckout.pay({{
      completeUrl: '{PAYMENTS_URL}/payments/complete',
      mobileRedirectUrl: '{PAYMENTS_URL}/payments/complete/mobile',
      pg: 'html5_inicis', pay_method: 'card', buyer_tel: '010-1234-5678', ...order,
    }});
    document.querySelector('#result').textContent = result.message; // to show, never to deliver by
  }};
</script>"""


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/":
            return self.send(200, PAGE.encode(), "text/html")
        order = orders.get(self.path.removeprefix("/orders/"))
        return self.send_json(200, order) if order else self.send_json(404, {"error": "no such order"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        found = re.fullmatch(r"/orders/([^/]+)/refund", self.path)
        if self.path == "/orders":
            return self.send_json(*register_order())
        if self.path == "/webhooks":
            return self.send_json(*receive_webhook(self.headers, body))
        if found and self.headers.get("authorization") != "Bearer " + ADMIN_TOKEN:
            return self.send_json(401, {"error": "staff only"})
        if found and found[1] in orders:
            return self.send_json(*refund(found[1]))
        return self.send_json(404, {"error": "no such order"})

    def send_json(self, status, body):
        self.send(status, json.dumps(body).encode(), "application/json")

    def send(self, status, body, content_type):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Logs nothing."""


print(f"http://127.0.0.1:{PORT}/", flush=True)
ThreadingHTTPServer(("127.0.0.1", PORT), Shop).serve_forever()
