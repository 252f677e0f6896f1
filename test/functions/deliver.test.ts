/** One attempt to deliver a webhook, the times of the next ones, and what becomes of the message. */

import type { SQSRecord } from 'aws-lambda';
import { describe, expect, test, vi } from 'vitest';
import { deliver, secondsToNext, type WebhookReceiver } from '../../functions/application/deliver.ts';
import { QueueUnavailable, WebhookNoResponse } from '../../functions/application/faults.ts';
import { type DeliverDependencies, deliverMessages } from '../../functions/handlers/deliver.ts';

const now = 1_795_000_000_000;
const queuedAgo = (seconds: number) => ({ id: 'order-1:2', body: '{}', queuedAt: now - seconds * 1000 });
const clock = { now: () => now, sleep: async () => undefined };

const attempt = (post: WebhookReceiver['post'], ageSeconds = 0) =>
  deliver(queuedAgo(ageSeconds), { clock, random: () => 0, receiver: { post } });
const answered = (status: number, ageSeconds?: number, retryAfter?: string) =>
  attempt(async () => ({ status, retryAfter }), ageSeconds);

test('posts the id and the body with the time of the attempt', async () => {
  const posted: unknown[] = [];
  await attempt(async ({ id, body }, timestamp) => {
    posted.push([id, body, timestamp]);
    return { status: 200 };
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

test.each([new WebhookNoResponse('No answer within 10000 ms'), new TypeError('a fault of our own')])(
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

describe('retry-after', () => {
  const afterSeconds = async (retryAfter: string, { status = 503, ageSeconds = 0 } = {}) =>
    (await answered(status, ageSeconds, retryAfter)) as object;

  test.each([
    ['seconds', '120', 120],
    ['an HTTP date', new Date(now + 90_000).toUTCString(), 90],
    ['less than the least delay', '0', 5],
    ['a date that is over', new Date(now - 90_000).toUTCString(), 5],
    ['more than SQS hides a message', '999999999999', 21_600],
    ['a text that cannot be read', 'soon', 5],
  ])('of a 429 or 503 delays the next attempt, with %s', async (_what, header, seconds) => {
    for (const status of [429, 503]) {
      expect(await afterSeconds(header, { status })).toEqual({ outcome: 'repeat', status, afterSeconds: seconds });
    }
  });

  test('causes no earlier attempt than without it, so that 1,000 attempts last for three days', async () => {
    expect(await afterSeconds('1', { ageSeconds: 3_600 })).toMatchObject({ afterSeconds: 3_600 });
  });

  test('of another status is ignored', async () => {
    expect(await afterSeconds('120', { status: 500 })).toMatchObject({ afterSeconds: 5 });
    expect(await afterSeconds('120', { status: 410 })).toEqual({ outcome: 'gone', status: 410 });
  });

  test('does not prolong the three days', async () => {
    expect(await afterSeconds('120', { ageSeconds: 3 * 86_400 })).toEqual({ outcome: 'expired', status: 503 });
  });

  test('has up to a tenth added, so that delayed webhooks do not come back at the same moment', () => {
    expect(secondsToNext(0, 0.5, 1_000)).toBe(1_050);
  });
});

describe('the handler', () => {
  const event = {
    id: 'one of EventBridge',
    source: 'iamport-serverless',
    'detail-type': 'Payment Paid',
    time: '2026-11-18T10:26:40Z',
    detail: { version: 1, id: 'order-1:2', merchant_uid: 'order-1', amount: 14_000 },
  };

  const messageOf = (body: string, ageSeconds = 0): SQSRecord => ({
    messageId: 'message-1',
    receiptHandle: 'receipt-1',
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(now - ageSeconds * 1000),
      SenderId: 'events',
      ApproximateFirstReceiveTimestamp: String(now),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:ap-northeast-2:123456789012:Webhooks',
    awsRegion: 'ap-northeast-2',
  });

  async function handled(
    { body = JSON.stringify(event), ageSeconds = 0 }: { body?: string; ageSeconds?: number },
    status: number,
    overrides: Partial<DeliverDependencies> = {},
  ) {
    const calls: unknown[] = [];
    const deps: DeliverDependencies = {
      clock,
      random: () => 0,
      receiver: {
        async post(webhook) {
          calls.push(['post', webhook.id, JSON.parse(webhook.body)]);
          return { status };
        },
      },
      hide: async (receipt, seconds) => void calls.push(['hide', receipt, seconds]),
      deadLetters: { send: async (text) => void calls.push(['dead letter', text]) },
      count: (counts) => void calls.push(counts),
      receiverHost: 'shop.example',
      ...overrides,
    };
    const logged: object[] = [];
    for (const method of ['info', 'error'] as const) {
      vi.spyOn(console, method).mockImplementation((line) => void logged.push({ method, ...line }));
    }
    const { batchItemFailures } = await deliverMessages(deps, { Records: [messageOf(body, ageSeconds)] }, 'request-1');
    return { calls, logged, failed: batchItemFailures };
  }

  const posted = ['post', 'order-1:2', { type: 'Payment Paid', timestamp: '2026-11-18T10:26:40Z', data: event.detail }];

  test('posts name, time and detail of the event, and lets SQS delete an accepted message', async () => {
    const { calls, logged, failed } = await handled({}, 200);
    expect(calls).toEqual([posted]);
    expect(failed).toEqual([]);
    expect(logged).toEqual([
      {
        method: 'info',
        requestId: 'request-1',
        route: 'deliver',
        receiver: 'shop.example',
        event: 'Payment Paid',
        id: 'order-1:2',
        merchantUid: 'order-1',
        outcome: 'delivered',
        status: 200,
        ageSeconds: 0,
        durationMs: 0,
      },
    ]);
  });

  test('sends the fields of the event in their sequence', async () => {
    const bodies: string[] = [];
    const receiver: WebhookReceiver = {
      async post({ body }) {
        bodies.push(body);
        return { status: 200 };
      },
    };
    await handled({}, 200, { receiver });
    const data = '{"version":1,"id":"order-1:2","merchant_uid":"order-1","amount":14000}';
    expect(bodies).toEqual([`{"type":"Payment Paid","timestamp":"2026-11-18T10:26:40Z","data":${data}}`]);
  });

  test('hides a message that is repeated until its next attempt', async () => {
    const { calls, failed } = await handled({ ageSeconds: 60 }, 500);
    expect(calls).toEqual([posted, ['hide', 'receipt-1', 60]]);
    expect(failed).toEqual([{ itemIdentifier: 'message-1' }]);
  });

  test('leaves a message that SQS does not hide to the visibility timeout', async () => {
    const hide = () => Promise.reject(new QueueUnavailable('ChangeMessageVisibility failed'));
    const { failed, logged } = await handled({}, 500, { hide });
    expect(failed).toEqual([{ itemIdentifier: 'message-1' }]);
    expect(logged.at(-1)).toMatchObject({
      method: 'error',
      causes: ['QueueUnavailable: ChangeMessageVisibility failed'],
    });
  });

  test.each([
    ['gone', 410, 0],
    ['expired', 500, 3 * 86_400],
  ])(
    'moves a message that is %s to the dead-letter queue unchanged, and logs an error',
    async (outcome, status, age) => {
      const { calls, logged, failed } = await handled({ ageSeconds: age }, status);
      expect(calls).toContainEqual(['dead letter', JSON.stringify(event)]);
      expect(failed).toEqual([]);
      expect(logged).toEqual([expect.objectContaining({ method: 'error', outcome, status })]);
    },
  );

  test('keeps a message in its queue when the dead-letter queue does not take it', async () => {
    const send = () => Promise.reject(new QueueUnavailable('SendMessage failed'));
    await expect(handled({}, 410, { deadLetters: { send } })).rejects.toThrow(QueueUnavailable);
  });

  test.each(['', '{}', '{"source":"another","detail-type":"Payment Paid","time":"now","detail":{"id":"1"}}'])(
    'moves a message that is no event of ours to the dead-letter queue: %s',
    async (body) => {
      const { calls, failed } = await handled({ body }, 200);
      expect(calls).toEqual([['dead letter', body]]);
      expect(failed).toEqual([]);
    },
  );

  test('counts failed attempts at an event that is an hour old', async () => {
    expect((await handled({ ageSeconds: 3_599 }, 500)).calls).not.toContainEqual({ WebhooksLate: 1 });
    expect((await handled({ ageSeconds: 3_600 }, 500)).calls).toContainEqual({ WebhooksLate: 1 });
    expect((await handled({ ageSeconds: 3_600 }, 200)).calls).not.toContainEqual({ WebhooksLate: 1 });
  });
});
