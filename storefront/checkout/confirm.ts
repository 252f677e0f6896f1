/**
 * Asks the backend what became of a payment, and again while no answer comes: it is the same question each time, and asking twice does
 * no harm. Never throws. Opens no window and remembers nothing.
 */

import type { Answer, World } from './browser-environment.ts';
import { words } from './messages.ts';
import type { Backend, Confirmation, Outcome, PaymentIds } from './types.ts';

const usualPatienceMs = 60_000;
/** API Gateway answers within 30 s, and the backend itself within 12. */
const answerMs = 15_000;
const firstPauseMs = 500;
const longestPauseMs = 8_000;

/** Worth asking again: `code` is what was wrong, where it was said. */
interface Lost {
  readonly retryAfterMs: number;
  readonly code?: string;
}

export async function confirm(
  { imp_uid, merchant_uid, completeUrl, language, patienceMs = usualPatienceMs }: PaymentIds & Backend,
  world: World,
): Promise<Confirmation> {
  const ids = { imp_uid, merchant_uid };
  // A form, which a browser sends to another origin without asking for permission first.
  const form = new URLSearchParams(ids).toString();
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(language && { 'accept-language': language }),
  };
  const giveUpAt = world.now() + patienceMs;
  for (let tries = 0; ; tries += 1) {
    const said = await world.post(completeUrl, form, headers, answerMs).then(read, () => lost(undefined));
    if ('status' in said) return said.status === 'refused' ? refused(ids, said, language) : said;
    const pauseMs = Math.max(said.retryAfterMs, backoffMs(tries) * (0.5 + world.random() / 2));
    if (world.now() + pauseMs > giveUpAt) {
      const message = words('unconfirmed', language);
      return { status: 'unconfirmed', ...ids, message, ...(said.code && { code: said.code }) };
    }
    await world.wait(pauseMs);
  }
}

const backoffMs = (tries: number): number => Math.min(longestPauseMs, firstPauseMs * 2 ** tries);

interface Said {
  readonly status: 'refused';
  readonly code: string;
  readonly message: string | undefined;
}

const refused = (ids: PaymentIds, { code, message }: Said, language?: string): Confirmation => ({
  status: 'refused',
  ...ids,
  code,
  message: message ?? words('refused', language),
});

async function read(answer: Answer): Promise<Outcome | Said | Lost> {
  // Whatever is in between may answer with a page of its own.
  const body = ((await answer.json().catch(() => undefined)) ?? {}) as Partial<Record<string, unknown>>;
  const code = textIn(body.code);
  if (answer.status === 200) return typeof body.status === 'string' ? (body as unknown as Outcome) : lost(code);
  const isPassing = answer.status >= 500 || answer.status === 408 || answer.status === 429;
  if (isPassing) return lost(code, answer.headers.get('retry-after'));
  return { status: 'refused', code: code ?? String(answer.status), message: textIn(body.message) };
}

/** @param retryAfter seconds, as the header gives them. A date there is not understood, and the usual pause kept */
const lost = (code: string | undefined, retryAfter?: string | null): Lost => ({
  retryAfterMs: Number(retryAfter ?? 0) * 1000 || 0,
  ...(code && { code }),
});

export const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
