/** One attempt to deliver a webhook, and the times of the next ones. */

import { expect, test } from 'vitest';
import { deliver, secondsToNext, type WebhookReceiver } from '../../functions/application/deliver.ts';
import { WebhookNotAnswered } from '../../functions/application/faults.ts';

const now = 1_795_000_000_000;
const queuedAgo = (seconds: number) => ({ id: 'order-1:2', body: '{}', queuedAt: now - seconds * 1000 });
const clock = { now: () => now, sleep: async () => undefined };

const attempt = (post: WebhookReceiver['post'], ageSeconds = 0) =>
  deliver(queuedAgo(ageSeconds), { clock, random: () => 0, receiver: { post } });
const answered = (status: number, ageSeconds?: number) => attempt(async () => status, ageSeconds);

test('posts the id and the body with the time of the attempt', async () => {
  const posted: unknown[] = [];
  await attempt(async ({ id, body }, timestamp) => {
    posted.push([id, body, timestamp]);
    return 200;
  }, 3_600);
  expect(posted).toEqual([['order-1:2', '{}', 1_795_000_000]]);
});

test.each([200, 201, 202, 204, 299])('the status %i is a delivery', async (status) =>
  expect(await answered(status)).toEqual({ outcome: 'delivered', status }),
);

test.each([100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 409, 411, 429, 500, 503])(
  'the status %i is repeated',
  async (status) => expect(await answered(status)).toEqual({ outcome: 'repeat', status, afterSeconds: 5 }),
);

test('the status 410 ends it, at any age', async () => {
  expect(await answered(410)).toEqual({ outcome: 'gone', status: 410 });
  expect(await answered(410, 4 * 86_400)).toEqual({ outcome: 'gone', status: 410 });
});

test.each([new WebhookNotAnswered('No answer within 10000 ms'), new TypeError('a fault of our own')])(
  'without an answer it is repeated: %s',
  async (fault) => {
    const delivery = await attempt(() => Promise.reject(fault), 60);
    expect(delivery).toEqual({ outcome: 'repeat', fault, afterSeconds: 60 });
  },
);

test('after three days there is no further attempt', async () => {
  expect(await answered(500, 3 * 86_400 - 1)).toMatchObject({ outcome: 'repeat' });
  expect(await answered(500, 3 * 86_400)).toEqual({ outcome: 'expired', status: 500 });
  expect(await answered(200, 3 * 86_400)).toMatchObject({ outcome: 'delivered' });
});

test('the delays double from 5 seconds to 6 hours, for three days', async () => {
  const delays: number[] = [];
  for (let age = 0; age < 3 * 86_400; age += delays.at(-1) ?? 0) delays.push(secondsToNext(age, 0));
  expect(delays.slice(0, 14)).toEqual([5, 5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480]);
  expect(new Set(delays.slice(14))).toEqual(new Set([21_600]));
  expect(delays).toHaveLength(25);
});

test('jitter adds up to a tenth, and a delay is below the 12 hours of SQS', () => {
  expect(secondsToNext(0, 0)).toBe(5);
  expect(secondsToNext(1_000, 0.5)).toBe(1_050);
  expect(secondsToNext(3 * 86_400, 0.999_999)).toBe(23_760);
});
