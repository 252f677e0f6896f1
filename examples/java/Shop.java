// The server of a small shop: Java 17, the JDK only. java Shop.java
//
// It registers orders, shows a page that pays them, delivers when the webhook says so, and refunds.
// A real shop keeps `delivered` and `seen` in its database, and writes both in one transaction. It also reads JSON with
// a library; here one pattern reads a text field of the first level, which is enough for these answers.

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Shop {
  static final int PORT = Integer.parseInt(setting("PORT", "8080"));
  static final String PAYMENTS_URL = setting("PAYMENTS_URL", "http://127.0.0.1:3000"); // the output ApiUrl
  static final String PAYMENTS_KEY = setting("PAYMENTS_KEY", "sk_money_local"); // npm run ops -- keys
  static final String WEBHOOK_SECRET = setting("WEBHOOK_SECRET", ""); // whsec_…
  static final String ADMIN_TOKEN = setting("ADMIN_TOKEN", ""); // of the shop's own staff, who may refund
  static final String CHECKOUT_JS = setting("CHECKOUT_JS", "http://127.0.0.1:3000/checkout.global.js"); // your own copy
  static final String IAMPORT_JS = setting("IAMPORT_JS", "http://127.0.0.1:3001/js/iamport.payment-1.2.0.js");

  /** By merchant_uid: how often the goods were sent. */
  static final Map<String, Integer> delivered = new ConcurrentHashMap<>();
  /** The webhook-ids that were processed. */
  static final Set<String> seen = new HashSet<>();
  static final HttpClient http = HttpClient.newHttpClient();

  record Answer(int status, String json) {}

  static String setting(String name, String otherwise) {
    return Optional.ofNullable(System.getenv(name)).orElse(otherwise);
  }

  /** Calls the payment backend. The path must be encoded; ours has only letters, digits and hyphens. */
  static Answer payments(String method, String path, String json) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create(PAYMENTS_URL + path))
        .timeout(Duration.ofSeconds(15))
        .header("authorization", "Bearer " + PAYMENTS_KEY);
    if (json == null) {
      request.method(method, HttpRequest.BodyPublishers.noBody());
    } else {
      request.header("content-type", "application/json").header("idempotency-key", "all");
      request.method(method, HttpRequest.BodyPublishers.ofString(json));
    }
    var response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    return new Answer(response.statusCode(), response.body());
  }

  /** Registers an order at the shop's own price. The browser never says what it costs. */
  static Answer registerOrder() throws IOException, InterruptedException {
    var random = new byte[8];
    new SecureRandom().nextBytes(random);
    var merchantUid = "shop-" + HexFormat.of().formatHex(random); // hard to guess
    var terms = "\"amount\":14000,\"name\":\"Flowers\"}";
    var registered = payments("PUT", "/orders/" + merchantUid, "{" + terms);
    if (registered.status() != 201) return new Answer(502, registered.json());
    delivered.put(merchantUid, 0);
    return new Answer(201, "{\"merchant_uid\":\"" + merchantUid + "\"," + terms);
  }

  /** Standard Webhooks: the signature is of `id.timestamp.body`, and there may be several of them. */
  static boolean isSigned(Headers headers, byte[] body) throws GeneralSecurityException {
    var timestamp = Optional.ofNullable(headers.getFirst("webhook-timestamp")).orElse("");
    if (!timestamp.matches("\\d{1,12}")) return false;
    if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) >= 300) return false;
    var mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(Base64.getDecoder().decode(WEBHOOK_SECRET.replace("whsec_", "")), "HmacSHA256"));
    mac.update((headers.getFirst("webhook-id") + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
    var expected = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(StandardCharsets.UTF_8);
    var signatures = Optional.ofNullable(headers.getFirst("webhook-signature")).orElse("").split(" ");
    for (var signature : signatures) {
      if (MessageDigest.isEqual(expected, signature.getBytes(StandardCharsets.UTF_8))) return true;
    }
    return false;
  }

  /** Delivers a paid order once, however often the webhook comes. */
  static synchronized Answer receiveWebhook(Headers headers, byte[] body)
      throws GeneralSecurityException, IOException, InterruptedException {
    if (!isSigned(headers, body)) return new Answer(401, "{\"error\":\"wrong signature\"}");
    var id = headers.getFirst("webhook-id");
    if (seen.contains(id)) return new Answer(200, "{}");
    var event = new String(body, StandardCharsets.UTF_8);
    var merchantUid = textIn(event, "merchant_uid");
    var type = textIn(event, "type");
    System.out.println("webhook: " + type + " " + merchantUid);
    if (type.equals("Payment Paid") && delivered.containsKey(merchantUid)) {
      // Events may come late. The backend knows how the order is now.
      var order = payments("GET", "/orders/" + merchantUid, null);
      if (order.status() != 200) return new Answer(503, "{\"error\":\"send it again\"}");
      // A part of it may have been refunded meanwhile.
      var isPaid = Set.of("paid", "partial_cancelled").contains(textIn(order.json(), "status"));
      if (isPaid) delivered.merge(merchantUid, 1, Integer::sum);
    }
    seen.add(id);
    return new Answer(200, "{}");
  }

  static String textIn(String json, String field) {
    var found = Pattern.compile("\"" + field + "\":\"([^\"]*)\"").matcher(json);
    return found.find() ? found.group(1) : "";
  }

  static final String PAGE = """
      <!doctype html><meta charset="utf-8"><title>Flowers</title>
      <button id="pay">Buy flowers, 14,000 won</button><p id="result"></p>
      <script src="%s"></script><script src="%s"></script>
      <script>
        IMP.init('imp00000000');
        document.querySelector('#pay').onclick = async () => {
          const order = await (await fetch('/orders', { method: 'POST' })).json();
          const result = await IamportCheckout.pay({
            completeUrl: '%s/payments/complete',
            mobileRedirectUrl: '%s/payments/complete/mobile',
            pg: 'html5_inicis', pay_method: 'card', buyer_tel: '010-1234-5678', ...order,
          });
          document.querySelector('#result').textContent = result.message; // to show, never to deliver by
        };
      </script>""".formatted(IAMPORT_JS, CHECKOUT_JS, PAYMENTS_URL, PAYMENTS_URL);

  static Answer respond(HttpExchange exchange, byte[] body) throws Exception {
    var isPost = exchange.getRequestMethod().equals("POST");
    var path = exchange.getRequestURI().getPath();
    if (isPost && path.equals("/orders")) return registerOrder();
    if (isPost && path.equals("/webhooks")) return receiveWebhook(exchange.getRequestHeaders(), body);
    var merchantUid = path.replaceAll("^/orders/|/refund$", "");
    var count = delivered.get(merchantUid);
    if (count == null) return new Answer(404, "{\"error\":\"no such order\"}");
    if (isPost && path.endsWith("/refund")) {
      var isStaff = ("Bearer " + ADMIN_TOKEN).equals(exchange.getRequestHeaders().getFirst("authorization"));
      if (!isStaff) return new Answer(401, "{\"error\":\"staff only\"}");
      return payments("POST", "/orders/" + merchantUid + "/refunds", "{\"reason\":\"Sold out\"}");
    }
    return new Answer(200, "{\"delivered\":" + count + "}");
  }

  static void handle(HttpExchange exchange) throws IOException {
    try {
      var isPage = exchange.getRequestURI().getPath().equals("/");
      var answer = isPage ? new Answer(200, PAGE) : respond(exchange, exchange.getRequestBody().readAllBytes());
      var bytes = answer.json().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("content-type", isPage ? "text/html" : "application/json");
      exchange.sendResponseHeaders(answer.status(), bytes.length);
      exchange.getResponseBody().write(bytes);
    } catch (Exception failure) {
      failure.printStackTrace();
      exchange.sendResponseHeaders(500, -1); // the webhook comes again
    } finally {
      exchange.close();
    }
  }

  public static void main(String[] args) throws IOException {
    // With an empty secret any caller could sign a webhook, and with an empty token any caller could refund.
    if (!WEBHOOK_SECRET.startsWith("whsec_") || ADMIN_TOKEN.isEmpty()) {
      System.err.println("Set WEBHOOK_SECRET=whsec_… and ADMIN_TOKEN.");
      System.exit(1);
    }
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", Shop::handle);
    server.start();
    System.out.println("http://127.0.0.1:" + PORT + "/");
  }
}
