/**
 * `verify`: sends requests to every route of a deployment, as a storefront, Iamport, a shop's server and an unknown caller would, and
 * compares each response with docs/http.md. It registers one order, closes it, and waits for its event on the bus. No money moves.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isProblemCode } from '../functions/http/problem.ts';
import { jsonIn } from '../functions/shared/json-text.ts';
import type { Language, Localized } from '../functions/shared/language.ts';
import { shopKeysOf } from '../functions/shared/shop-keys.ts';
import { VERSION } from '../infra/version.ts';
import type { Call, Command } from './command.ts';
import type { Deployment } from './deployment.ts';
import { type EventWatch, RightMissing, textsOf } from './event-watch.ts';
import { exit, interruptible, messageOf, withProgress } from './terminal.ts';
import {
  cases,
  closingRequests,
  foreignRequest,
  isClosingEvent,
  orderRequests,
  type Received,
  refusedRequests,
  storefrontRequests,
  type VerifyCheck,
  type VerifyRequest,
  type VerifySubject,
} from './verify-checks.ts';

export interface VerifyLimits {
  /** A slower response is reported. It does not fail the check: the first request of a function starts an instance. */
  readonly slowMs: number;
  /** API Gateway answers within 30 s. */
  readonly timeoutMs: number;
  /** How old the rule on the bus is, at least, when the order is closed: EventBridge needs some seconds until a new rule matches. */
  readonly ruleMs: number;
  /** The longest wait for the event of the closed order. */
  readonly eventTimeoutMs: number;
}

/** The result of one check. */
interface Result {
  readonly route: string;
  readonly case: Localized;
  readonly ok: boolean;
  readonly isSlow?: boolean;
  readonly ms?: number;
  readonly expected: string;
  /** In English and without ids or texts of the response, since it is part of the text to post. */
  readonly found: string;
  /** Set when the check was not made. */
  readonly skipped?: Localized;
  /** The operator's action after a failure. */
  readonly remedy?: Localized;
}

const usualLimits: VerifyLimits = { slowMs: 3_000, timeoutMs: 35_000, ruleMs: 15_000, eventTimeoutMs: 30_000 };
/** An order that `verify` could not close expires by itself. Seconds. */
const orderLifetimeSeconds = 3_600;
/** Iamport's limit for an order number. */
const maxOrderLength = 40;

export const verifyWithin =
  (limits: VerifyLimits): Command =>
  async (call) => {
    const { deployment, print, progress } = call;
    const subject = subjectOf(deployment);
    progress(`${deployment.name}: ${deployment.apiUrl}`);
    const results: Result[] = [];
    // SIGINT must remove the rule and the queue, too.
    const work = interruptible((interrupted) => run(call, subject, limits, results, interrupted));
    await withProgress(work, progress).catch((error: unknown) => {
      if (results.length > 0) progress(leftBehind(call, subject, results.find(isLastRead)));
      throw error;
    });
    const isFailed = results.some(({ ok }) => !ok);
    const left = leftBehind(call, subject, results.find(isLastRead));
    const report = isFailed ? textToPost(deployment, results) : undefined;
    const lines = results.map((result) => `${lineOf(result, call.language)}\n`);
    print([...lines, `\n${left}\n`, report ? `\n${call.messageFor('postThis')}\n\n${report}` : ''].join(''), {
      checks: results.map(({ case: caseText, skipped: why, remedy, ...result }) => ({
        ...{ ...result, case: caseText.en, skipped: why?.[call.language], remedy: remedy?.[call.language] },
      })),
      left,
      report,
    });
    return isFailed ? exit.found : exit.done;
  };

export const verify = verifyWithin(usualLimits);

function subjectOf({ config, deps, shopKeys }: Deployment): VerifySubject {
  const prefix = `${config.orderPrefix}verify-`;
  const numbered = () =>
    prefix +
    randomBytes(12)
      .toString('hex')
      .slice(0, Math.min(16, maxOrderLength - prefix.length));
  return {
    order: numbered(),
    missing: numbered(),
    auth: shopKeys ? 'key' : 'iam',
    isShopsTable: deps.orders.isShops,
    expiresAt: Math.floor(Date.now() / 1000) + orderLifetimeSeconds,
  };
}

/**
 * Sends the requests one after the other: a new account of AWS may run ten functions at once.
 * @param results receives each result
 * @param interrupted ends the run; what watches the bus is removed in any case
 */
async function run(
  { deployment, terminal, language }: Call,
  subject: VerifySubject,
  limits: VerifyLimits,
  results: Result[],
  interrupted: AbortSignal,
): Promise<void> {
  const watched = await watchFor(deployment, subject);
  const watchedSince = performance.now();
  try {
    const send = await senderFor(deployment, limits, interrupted);
    const runAll = async (checks: readonly VerifyCheck[]) => {
      for (const check of checks) {
        interrupted.throwIfAborted();
        results.push(await resultOf(check, send, limits));
      }
    };
    await runAll([...orderRequests(subject), ...refusedRequests(subject), foreignRequest()]);
    const origin = await deployment.origins().then(
      ([first]) => first,
      (error: unknown) => {
        const why = messageOf(error);
        const ko = `쇼핑몰 페이지의 origin을 읽을 수 없습니다. cloudformation:GetTemplate 권한이 필요합니다: ${why}`;
        const en = `the origin of the storefront cannot be read. It needs the right cloudformation:GetTemplate: ${why}`;
        results.push(skipped('OPTIONS /payments/complete', cases.ownPreflight, { ko, en }));
        return undefined;
      },
    );
    if (origin) await runAll(storefrontRequests(origin));
    // The order is closed last, since a new rule of EventBridge does not match at once.
    if (deployment.aws && watched.watch) await pause(watchedSince + limits.ruleMs - performance.now(), interrupted);
    await runAll(closingRequests(subject));
    const isClosed = results.some((result) => isLastRead(result) && result.ok);
    results.push(await eventOf(watched, subject, limits, isClosed, interrupted));
  } finally {
    const left = await watched.watch?.remove();
    if (left) terminal.stderr.write(`${left[language]}\n`);
  }
}

/** @throws the reason of the signal when it is aborted */
async function pause(ms: number, interrupted: AbortSignal): Promise<void> {
  await sleep(Math.max(0, ms), undefined, { signal: interrupted }).catch(() => undefined);
  interrupted.throwIfAborted();
}

/** The watch of the bus, or the reason that there is none. */
type Watched = { readonly watch: EventWatch } | { readonly watch?: undefined; readonly why: Localized };

async function watchFor(deployment: Deployment, { order, isShopsTable }: VerifySubject): Promise<Watched> {
  if (isShopsTable) {
    const ko = '주문이 쇼핑몰의 테이블에 있어 주문을 등록하지 않았습니다';
    const en = 'the orders are in the table of the shop, so no order was registered';
    return { why: { ko, en } };
  }
  return deployment.watchClosing(order).then(
    (watch) => ({ watch }),
    (error: unknown) => {
      const { ko, en } = textsOf(error);
      return { why: { ko: `임시 규칙과 큐를 만들지 못했습니다: ${ko}`, en: `no temporary rule and queue: ${en}` } };
    },
  );
}

const eventCase = { ko: 'Order Closed 이벤트', en: 'event Order Closed' };

const skipped = (route: string, caseText: Localized, why: Localized): Result => ({
  ...{ route, case: caseText, ok: true, expected: '', found: 'skipped' },
  skipped: why,
});

async function resultOf(
  { route, case: caseText, request, expected }: VerifyCheck,
  send: (request: VerifyRequest) => Promise<Received>,
  { slowMs }: VerifyLimits,
): Promise<Result> {
  const begin = performance.now();
  const named = { route, case: caseText, expected: expected.text };
  const response = await send(request).catch((error: unknown) => noResponse(error));
  const ms = Math.round(performance.now() - begin);
  if (typeof response === 'string') return { ...named, ok: false, ms, found: response };
  const ok = expected.isMet(response);
  const found = ok ? describe(response) : (expected.found ?? describe)(response);
  return { ...named, ok, ms, found, isSlow: ms > slowMs };
}

/** Only the code of the error: its message may contain the address. */
function noResponse(error: unknown): string {
  const { name, cause } = error as Error;
  const { code } = Object(cause) as { code?: unknown };
  const isCode = typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code);
  return name === 'TimeoutError' ? 'no response in time' : `no response${isCode ? ` (${code})` : ''}`;
}

/** The status, and a problem code or the status of an order. No other text of the response is printed. */
function describe({ status, type, json }: Received): string {
  const { code, status: state } = json;
  const isState = typeof state === 'string' && ['ready', 'paid', 'closed', 'expired', 'failed'].includes(state);
  const word = typeof code === 'string' && isProblemCode(code) ? code : isState ? state : '';
  const isKnownType = ['', 'application/json', 'application/problem+json', 'text/html', 'text/plain'].includes(type);
  return [status, word, isKnownType ? '' : 'with another media type'].filter(Boolean).join(' ');
}

async function senderFor(deployment: Deployment, { timeoutMs }: VerifyLimits, interrupted: AbortSignal) {
  const { apiUrl, shopKeys } = deployment;
  const keys = shopKeys && shopKeysOf(await shopKeys.read());
  const authorizationOf = ({ as }: VerifyRequest): string | undefined => {
    if (as === 'public') return undefined;
    if (keys && as !== 'unknown') return `Bearer ${keys[as][0]}`;
    // The form is right, so that the API has to compare it.
    return keys
      ? `Bearer sk_money_${randomBytes(32).toString('hex').slice(0, 43)}`
      : `AWS4-HMAC-SHA256 Credential=AKIAUNKNOWN/20260101/region/execute-api/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
  };
  return async (request: VerifyRequest): Promise<Received> => {
    const { method, path, as, body, headers } = request;
    if (!keys && (as === 'orders' || as === 'money')) {
      const { status, body: received } = await deployment.send(method, path, body, headers);
      return { status, type: '', json: fieldsOf(received) };
    }
    const authorization = authorizationOf(request);
    const response = await fetch(apiUrl + path, {
      method,
      headers: {
        ...headers,
        ...(authorization && { authorization }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), interrupted]),
    });
    return {
      status: response.status,
      type: (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '',
      allowedOrigin: response.headers.get('access-control-allow-origin') ?? undefined,
      location: response.headers.get('location') ?? undefined,
      json: fieldsOf(jsonIn(await response.text())),
    };
  };
}

const fieldsOf = (value: unknown): Received['json'] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

/** Waits for the event of the closed order. */
async function eventOf(
  watched: Watched,
  subject: VerifySubject,
  { eventTimeoutMs }: VerifyLimits,
  isClosed: boolean,
  interrupted: AbortSignal,
): Promise<Result> {
  if (!watched.watch) return skipped('events', eventCase, watched.why);
  if (!isClosed) {
    const ko = '주문이 종료되지 않아 이벤트도 발행되지 않습니다';
    const en = 'the order was not closed, so its event is not published';
    return skipped('events', eventCase, { ko, en });
  }
  const begin = performance.now();
  const elapsed = () => Math.round(performance.now() - begin);
  const named = { route: 'events', case: eventCase, expected: 'Order Closed' };
  while (elapsed() < eventTimeoutMs) {
    const events = await watched.watch.receive().catch((error: unknown) => {
      // Any other error may be temporary.
      if (error instanceof RightMissing) return error;
      return [];
    });
    if (events instanceof RightMissing) return skipped('events', eventCase, events.texts);
    const ours = events.map((event) => isClosingEvent(event, subject));
    if (ours.includes(true)) return { ...named, ok: true, ms: elapsed(), found: 'Order Closed' };
    if (ours.includes(false)) return { ...named, ok: false, ms: elapsed(), found: 'Order Closed of another form' };
    await pause(100, interrupted);
  }
  return { ...named, ok: false, ms: elapsed(), found: 'no such event in time', remedy: lateEvent };
}

const lateEvent = {
  ko: 'doctor로 발행 함수의 이벤트 소스 매핑과 경보를 점검하고, 경보 대응서의 events-late를 보세요',
  en: 'check the event source mappings and alarms with doctor, and see events-late in docs/runbook.md',
};

/** The last request of `closingRequests` reads the order after its end. */
const isLastRead = ({ expected }: Result): boolean => expected === '200 with an order that is closed';

function leftBehind({ language, messageFor }: Call, { order, isShopsTable }: VerifySubject, read?: Result): string {
  if (isShopsTable) return messageFor('leftNothing');
  if (read?.ok) return `${messageFor('leftClosed')} ${order}`;
  return language === 'ko'
    ? `남은 것: 주문 ${order}가 종료되지 않았을 수 있습니다. close ${order}로 종료하세요. 한 시간 뒤에는 기한이 지나 expired가 됩니다`
    : `Left behind: the order ${order} may still be open. Close it with close ${order}. It expires after an hour`;
}

function lineOf(result: Result, language: Language): string {
  const { route, ok, isSlow, ms, expected, found, remedy, skipped: why } = result;
  const [gotText, slowText, skippedText, expectedText] =
    language === 'ko' ? ['결과', '느림', '건너뜀', '예상'] : ['got', 'slow', 'skipped', 'expected'];
  const name = `${route}, ${result.case[language]}`;
  if (why) return `- ${name}: ${skippedText}: ${why[language]}`;
  const time = `(${ms} ms${isSlow ? `, ${slowText}` : ''})`;
  const remedyText = remedy ? `. ${remedy[language]}` : '';
  if (!ok) return `✗ ${name}: ${expectedText} ${expected}, ${gotText} ${found} ${time}${remedyText}`;
  return `${isSlow ? '!' : '✓'} ${name}: ${found} ${time}`;
}

/** A text for an issue or a chat: no address, key, order number or text of a response is in it. Always in English. */
function textToPost(deployment: Deployment, results: readonly Result[]): string {
  const failed = results.filter(({ ok }) => !ok);
  const slow = results.filter(({ isSlow }) => isSlow);
  const lines = [
    `iamport-serverless ${VERSION} verify, ${deployment.aws ? 'deployment' : 'local system'} of version ${deployment.version ?? 'unknown'}, shopAuth ${deployment.shopKeys ? 'key' : 'iam'}, Node.js ${process.versions.node}`,
    `${failed.length} of ${results.length} checks differ, ${slow.length} are slow`,
    ...failed.map((result) => lineOf(result, 'en')),
    ...slow.filter(({ ok }) => ok).map((result) => lineOf(result, 'en')),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
