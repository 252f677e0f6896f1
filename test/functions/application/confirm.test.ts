/** The question to the shop before an approval: which values are an answer, and the end of the time for it. */

import { expect, test } from 'vitest';
import { askShop, type ConfirmQuestion, maxAskMs } from '../../../functions/application/confirm.ts';
import { ShopNoResponse } from '../../../functions/application/faults.ts';
import type { Amount } from '../../../functions/payment/money.ts';

const question: ConfirmQuestion = {
  impUid: 'imp_1',
  merchantUid: 'order-1',
  amount: 14_000 as Amount,
  currency: 'KRW',
};
const never = new Promise<never>(() => undefined);
/** A clock of which no time passes. */
const still = { now: () => 0, sleep: () => never };
const answered = (answer: unknown) => askShop({ ask: async () => answer }, question, still);

test('passes the question to the shop', async () => {
  const asked: unknown[] = [];
  await askShop({ ask: async (one) => asked.push(one) }, question, still);
  expect(asked).toEqual([question]);
});

test('approves only for ok: true', async () => {
  expect(await answered({ ok: true })).toEqual({ outcome: 'approved' });
  expect(await answered({ ok: true, reason: '품절' })).toEqual({ outcome: 'approved' });
});

test.each([
  ['품절된 상품이 있습니다.', '품절된 상품이 있습니다.'],
  ['<b>품절</b>\n', 'b품절/b'],
  ['가'.repeat(10_000), '가'.repeat(100)],
  [undefined, ''],
  [42, ''],
])('refuses for ok: false, with the cleaned reason (%#)', async (reason, cleaned) =>
  expect(await answered({ ok: false, reason })).toEqual({ outcome: 'refused', reason: cleaned }),
);

test.each([
  undefined,
  null,
  '',
  'ok',
  true,
  1,
  [],
  {},
  { ok: 'true' },
  { ok: 1 },
  { ok: null },
  { reason: '품절' },
  [{ ok: true }],
])('takes a value of another form for no answer: %j', async (value) => {
  const fault = new ShopNoResponse('The answer of the shop is neither {"ok": true} nor {"ok": false, "reason": "…"}');
  expect(await answered(value)).toEqual({ outcome: 'unanswered', fault });
});

test('takes an exception for no answer', async () => {
  const fault = new Error('Unhandled');
  expect(await askShop({ ask: () => Promise.reject(fault) }, question, still)).toEqual({
    outcome: 'unanswered',
    fault,
  });
});

test('waits for 3 seconds, and then ignores the answer', async () => {
  const waited: number[] = [];
  const clock = { now: () => 0, sleep: async (ms: number) => void waited.push(ms) };
  let fail: (error: Error) => void = () => undefined;
  const late = new Promise((_resolve, reject) => {
    fail = reject;
  });
  const fault = new ShopNoResponse('The shop did not answer within 3000 ms');
  expect(await askShop({ ask: () => late }, question, clock)).toEqual({ outcome: 'unanswered', fault });
  expect([waited, maxAskMs]).toEqual([[3_000], 3_000]);
  // An unhandled rejection would end the process.
  fail(new Error('late'));
});
