/**
 * Calls the backend for the result of a payment, and retries while there is no usable response. The call is idempotent.
 * Never throws, opens no window, and is stateless.
 */

import type { BackendResponse, BrowserEnvironment } from './browser-environment.ts';
import { isEnglish, messageOf } from './messages.ts';
import type { Backend, Confirmation, Outcome, PaymentIds } from './types.ts';

const defaultPatienceMs = 60_000;
/** API Gateway responds within 30 s, and the backend itself within 12. */
const timeoutMs = 15_000;
const firstPauseMs = 500;
const maxPauseMs = 8_000;

/** A failure to retry. `code` is the backend's, if any. */
interface Retry {
  readonly retryAfterMs: number;
  readonly code?: string;
}

export async function confirm(
  { imp_uid, merchant_uid, completeUrl, language, patienceMs = defaultPatienceMs }: PaymentIds & Backend,
  browser: BrowserEnvironment,
): Promise<Confirmation> {
  const ids = { imp_uid, merchant_uid };
  // A form, which a browser sends to another origin without a preflight.
  const form = new URLSearchParams(ids).toString();
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    // Never the shop's own text: for `ko_KR` the browser sends a preflight, which is refused, and never the request.
    'accept-language': isEnglish(language) ? 'en' : 'ko',
  };
  const giveUpAt = browser.now() + patienceMs;
  for (let tries = 0; ; tries += 1) {
    const result = await browser.post(completeUrl, form, headers, timeoutMs).then(read, () => retry(undefined));
    if ('status' in result) return result.status === 'refused' ? refused(ids, result, language) : result;
    const pauseMs = Math.max(result.retryAfterMs, backoffMs(tries) * (0.5 + browser.random() / 2));
    // Written so that a patienceMs of NaN ends it.
    if (!(browser.now() + pauseMs <= giveUpAt)) {
      const message = messageOf('unconfirmed', language);
      return { status: 'unconfirmed', ...ids, message, ...(result.code && { code: result.code }) };
    }
    await browser.wait(pauseMs);
  }
}

const backoffMs = (tries: number): number => Math.min(maxPauseMs, firstPauseMs * 2 ** tries);

interface Refusal {
  readonly status: 'refused';
  readonly code: string;
  readonly message: string | undefined;
}

const refused = (ids: PaymentIds, { code, message }: Refusal, language?: string): Confirmation => ({
  status: 'refused',
  ...ids,
  code,
  message: message ?? messageOf('refused', language),
});

async function read(response: BackendResponse): Promise<Outcome | Refusal | Retry> {
  // A proxy in between may respond with its own page.
  const body = ((await response.json().catch(() => undefined)) ?? {}) as Partial<Record<string, unknown>>;
  const code = textIn(body.code);
  if (response.status === 200) return typeof body.status === 'string' ? (body as unknown as Outcome) : retry(code);
  const isTransient = response.status >= 500 || response.status === 408 || response.status === 429;
  if (isTransient) return retry(code, response.headers.get('retry-after'));
  // Without a code it is an error of API Gateway, whose message is not for the buyer.
  return { status: 'refused', code: code ?? String(response.status), message: code && textIn(body.message) };
}

/** @param retryAfter the header, in seconds. A date is ignored, and the default pause applies */
const retry = (code: string | undefined, retryAfter?: string | null): Retry => ({
  retryAfterMs: Number(retryAfter ?? 0) * 1000 || 0,
  ...(code && { code }),
});

export const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
