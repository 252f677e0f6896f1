<?php
// The server of a small shop: PHP 8, no packages. php -S 127.0.0.1:8080 server.php
//
// It registers orders, shows a page that pays them, delivers when the webhook says so, and refunds.
// A real shop keeps the state in its database, and writes an order and the id of its webhook in one transaction. Here
// it is a file, locked while a request changes it, since PHP keeps nothing between two requests.

declare(strict_types=1);

function setting(string $name, string $default): string
{
    $value = getenv($name);
    return $value === false ? $default : $value;
}

define('PAYMENTS_URL', setting('PAYMENTS_URL', 'http://127.0.0.1:3000')); // the output ApiUrl
define('PAYMENTS_KEY', setting('PAYMENTS_KEY', 'sk_money_local')); // npm run ops -- keys
define('WEBHOOK_SECRET', setting('WEBHOOK_SECRET', '')); // whsec_…
define('ADMIN_TOKEN', setting('ADMIN_TOKEN', '')); // of the shop's own staff, who may refund
define('CHECKOUT_JS', setting('CHECKOUT_JS', 'http://127.0.0.1:3000/checkout.global.js')); // serve your own copy of it
define('IAMPORT_JS', setting('IAMPORT_JS', 'http://127.0.0.1:3001/js/iamport.payment-1.2.0.js'));
define('STATE_FILE', setting('STATE_FILE', sys_get_temp_dir() . '/shop.json'));

// With an empty secret any caller could sign a webhook, and with an empty token any caller could refund.
if (!str_starts_with(WEBHOOK_SECRET, 'whsec_') || ADMIN_TOKEN === '') {
    http_response_code(500);
    exit('Set WEBHOOK_SECRET=whsec_… and ADMIN_TOKEN.');
}

/** Calls the payment backend. @return array{int, array} the status and the parsed body */
function payments(string $method, string $path, ?array $body = null, array $headers = []): array
{
    $headers[] = 'authorization: Bearer ' . PAYMENTS_KEY;
    if ($body !== null) {
        $headers[] = 'content-type: application/json';
    }
    $http = ['method' => $method, 'header' => $headers, 'ignore_errors' => true, 'timeout' => 15];
    if ($body !== null) {
        $http['content'] = json_encode($body);
    }
    $text = file_get_contents(PAYMENTS_URL . $path, false, stream_context_create(['http' => $http]));
    $status = isset($http_response_header[0]) ? (int) explode(' ', $http_response_header[0])[1] : 0;
    return [$status, json_decode($text ?: '{}', true) ?? []];
}

/** Changes the state while no other request does. `$change` gets the state by reference. */
function changing(callable $change): array
{
    $file = fopen(STATE_FILE, 'c+');
    flock($file, LOCK_EX);
    $state = json_decode(stream_get_contents($file) ?: '{}', true) + ['orders' => [], 'seen' => []];
    $answer = $change($state);
    ftruncate($file, 0);
    rewind($file);
    fwrite($file, json_encode($state));
    fclose($file);
    return $answer;
}

/** Registers an order at the shop's own price. The browser never says what it costs. */
function registerOrder(): array
{
    $merchantUid = 'shop-' . bin2hex(random_bytes(8)); // hard to guess
    $terms = ['amount' => 14000, 'name' => 'Flowers'];
    [$status, $body] = payments('PUT', "/orders/$merchantUid", $terms);
    if ($status !== 201) {
        return [502, $body];
    }
    return changing(function (array &$state) use ($merchantUid, $terms): array {
        $state['orders'][$merchantUid] = ['delivered' => 0];
        return [201, ['merchant_uid' => $merchantUid] + $terms];
    });
}

/** Standard Webhooks: the signature is of `id.timestamp.body`, and there may be several of them. */
function isSigned(string $id, string $timestamp, string $signatures, string $body): bool
{
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) >= 300) {
        return false;
    }
    $key = base64_decode(str_replace('whsec_', '', WEBHOOK_SECRET));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

/** Delivers a paid order once, however often the webhook comes. */
function receiveWebhook(string $body): array
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!isSigned($id, $timestamp, $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '', $body)) {
        return [401, ['error' => 'wrong signature']];
    }
    return changing(function (array &$state) use ($id, $body): array {
        if (in_array($id, $state['seen'], true)) {
            return [200, []];
        }
        $event = json_decode($body, true);
        $merchantUid = $event['data']['merchant_uid'] ?? '';
        error_log("webhook: {$event['type']} $merchantUid");
        if ($event['type'] === 'Payment Paid' && isset($state['orders'][$merchantUid])) {
            // Events may come late. The backend knows how the order is now.
            [$status, $order] = payments('GET', '/orders/' . rawurlencode($merchantUid));
            if ($status !== 200) {
                return [503, ['error' => 'send it again']];
            }
            // A part of it may have been refunded meanwhile.
            if (in_array($order['status'], ['paid', 'partial_cancelled'], true)) {
                $state['orders'][$merchantUid]['delivered'] += 1;
            }
        }
        $state['seen'][] = $id;
        return [200, []];
    });
}

function refund(string $merchantUid): array
{
    $path = '/orders/' . rawurlencode($merchantUid) . '/refunds';
    return payments('POST', $path, ['reason' => 'Sold out'], ['idempotency-key: all']);
}

function showPage(): void
{
    $complete = PAYMENTS_URL . '/payments/complete';
    echo '<!doctype html><meta charset="utf-8"><title>Flowers</title>
<button id="pay">Buy flowers, 14,000 won</button><p id="result"></p>
<script src="' . IAMPORT_JS . '"></script><script src="' . CHECKOUT_JS . '"></script>
<script>
  IMP.init("imp00000000");
  document.querySelector("#pay").onclick = async () => {
    const order = await (await fetch("/orders", { method: "POST" })).json();
    const result = await IamportCheckout.pay({
      completeUrl: "' . $complete . '",
      mobileRedirectUrl: "' . $complete . '/mobile",
      pg: "html5_inicis", pay_method: "card", buyer_tel: "010-1234-5678", ...order,
    });
    document.querySelector("#result").textContent = result.message; // to show, never to deliver by
  };
</script>';
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/') {
    showPage();
    exit;
}
$isPost = $_SERVER['REQUEST_METHOD'] === 'POST';
[, $merchantUid, $action] = (preg_match('#^/orders/([^/]+)(/refund)?$#', $path, $parts) ? $parts : []) + ['', '', ''];
[$status, $answer] = match (true) {
    $isPost && $path === '/orders' => registerOrder(),
    $isPost && $path === '/webhooks' => receiveWebhook(file_get_contents('php://input')),
    default => changing(function (array &$state) use ($merchantUid): array {
        $order = $state['orders'][$merchantUid] ?? null;
        return $order ? [200, $order] : [404, ['error' => 'no such order']];
    }),
};
if ($isPost && $action !== '' && $status === 200) {
    $isStaff = hash_equals('Bearer ' . ADMIN_TOKEN, $_SERVER['HTTP_AUTHORIZATION'] ?? '');
    [$status, $answer] = $isStaff ? refund($merchantUid) : [401, ['error' => 'staff only']];
}
http_response_code($status);
header('content-type: application/json');
echo json_encode($answer, JSON_FORCE_OBJECT);
