/** `verify` looks for its event on the bus of a deployment, by a temporary rule and queue. A fake has the rules and the queues. */

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventSource } from '../../functions/events/event-source.ts';
import type { LocalEvent } from '../../local/aws/bus.ts';
import type { Call } from '../../ops/command.ts';
import { connect, type Deployment } from '../../ops/deployment.ts';
import { WATCH_RIGHTS, watchBus } from '../../ops/event-watch.ts';
import { messagesIn } from '../../ops/messages.ts';
import { verifyWithin } from '../../ops/verify.ts';
import { type EventRules, fakeBus, startEventRules } from '../support/event-rules.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
let rules: EventRules;
/** What the rules see of the events on the bus of the local system. */
let changed: (event: LocalEvent) => LocalEvent | undefined;
beforeAll(async () => {
  system = await startSystem();
  rules = await startEventRules(() => system.bus.events.flatMap((event) => changed(event) ?? []));
});
beforeEach(() => {
  changed = (event) => event;
  rules.called.length = 0;
  rules.rules.clear();
  rules.queues.clear();
  rules.denied.clear();
  rules.failing.clear();
  rules.hooks.before = () => undefined;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rules.close();
  await system.close();
});

const usual = { slowMs: 30_000, timeoutMs: 35_000, ruleMs: 0, eventTimeoutMs: 120_000 };
const short = { ...usual, eventTimeoutMs: 500 };

/** Runs `verify` against the local API, with the bus of a deployment. @param change of the deployment */
async function run(
  limits = usual,
  change: (deployment: Deployment) => object = () => ({}),
  output = { stdout: '', stderr: '' },
) {
  const local = await connect({ local: true, url: system.url, stack: '' });
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', rules.endpoint);
  const sqs = `${rules.endpoint}/000000000000/Unpublished`;
  const watchClosing = (order: string) => watchBus({ stack: 'Shop', eventBus: fakeBus, sqs }, order);
  const to = (name: keyof typeof output) => ({
    write(text: string) {
      output[name] += text;
    },
  });
  const call: Call = {
    ...{ subject: '', target: '', options: { queue: false, 'dry-run': false }, language: 'en' },
    deployment: { ...local, watchClosing, ...change(local) },
    messageFor: messagesIn('en'),
    print: to('stdout').write,
    // The first line names the deployment.
    progress: (text) => void (/^(?:http|…)/.test(text) || to('stderr').write(`${text}\n`)),
    confirm: async () => false,
    terminal: { stdout: to('stdout'), stderr: to('stderr'), stdin: process.stdin },
  };
  const code = await verifyWithin(limits)(call);
  const event = output.stdout.split('\n').find((line) => line.includes(' events, event Order Closed'));
  return { code, ...output, event };
}

const asOf = (event: LocalEvent, detail: object): LocalEvent => ({
  ...event,
  detail: { ...Object(event.detail), ...detail },
});

describe('verify on a deployment', () => {
  test('[T475] sees the event on the bus, by a rule and a queue that it removes', async () => {
    let created = {};
    rules.hooks.before = (action) => {
      if (action === 'sqs:ReceiveMessage') created = Object.fromEntries(rules.queues);
    };
    const { code, event, stderr } = await run();
    expect(event).toMatch(/^✓ events, event Order Closed: Order Closed \(\d+ ms\)$/);
    expect([code, stderr]).toEqual([0, '']);
    const [[name = '', queue] = []] = Object.entries(created);
    expect(name).toMatch(/^Shop-verify-[0-9a-f]{8}$/);
    expect(queue).toMatchObject({ attributes: { MessageRetentionPeriod: '60' } });
    expect(rules.called.slice(0, 3)).toEqual(['events:PutRule', 'sqs:CreateQueue', 'events:PutTargets']);
    expect(rules.called.slice(-3)).toEqual(['events:RemoveTargets', 'sqs:DeleteQueue', 'events:DeleteRule']);
    expect(rules.left()).toEqual([]);
  });

  test('the rule and the queue exist before the first request', async () => {
    const before = system.bus.events.length;
    let atFirstRequest: string[] = [];
    const { code } = await run(usual, ({ shopKeys }) => ({
      shopKeys: {
        ...shopKeys,
        read: () => {
          atFirstRequest = [...rules.called];
          return shopKeys?.read();
        },
      },
    }));
    expect(code).toBe(0);
    expect(atFirstRequest).toEqual(['events:PutRule', 'sqs:CreateQueue', 'events:PutTargets']);
    expect(system.bus.events.slice(before).map((event) => event['detail-type'])).toEqual(['Order Closed']);
  });

  test('[T476] fails when the event does not come in time, and names the remedy', async () => {
    changed = () => undefined;
    const { code, event } = await run(short);
    expect(code).toBe(5);
    expect(event).toMatch(
      /^✗ events, event Order Closed: expected Order Closed, got no such event in time \(\d+ ms\)\. check the event source mappings and alarms with doctor, and see events-late in docs\/runbook\.md$/,
    );
    expect(rules.left()).toEqual([]);
  });

  test.each(['events:PutRule', 'sqs:CreateQueue', 'events:PutTargets', 'sqs:ReceiveMessage'])(
    '[T477] skips the check without the right %s, and names it',
    async (right) => {
      rules.denied.add(right);
      const { code, event, stderr } = await run(short);
      expect(code).toBe(0);
      expect(event).toMatch(/^- events, event Order Closed: skipped: /);
      expect(event).toContain(`the credentials of this command lack the right ${right}. `);
      expect(event).toContain(`This check needs ${WATCH_RIGHTS.join(', ')}`);
      expect(stderr).toBe('');
      expect(rules.left()).toEqual([]);
    },
  );

  test.each(['events:PutTargets', 'target'])(
    'skips the check after another fault of %s, with its text',
    async (action) => {
      rules.failing.set(action, 'The bus is of another account');
      const { code, event } = await run(short);
      expect([code, event]).toEqual([
        0,
        '- events, event Order Closed: skipped: no temporary rule and queue: The bus is of another account',
      ]);
      expect(rules.called).not.toContain('sqs:ReceiveMessage');
      expect(rules.left()).toEqual([]);
    },
  );

  test.each([
    ['sqs:DeleteQueue', 'sqs:DeleteQueue'],
    ['events:RemoveTargets', "events:RemoveTargets; Rule can't be deleted since it has targets."],
  ])('reports what it could not remove without the right %s, and does not fail for it', async (right, causes) => {
    rules.denied.add(right);
    const { code, event, stderr } = await run();
    expect([code, event?.slice(0, 1)]).toEqual([0, '✓']);
    const [left = ''] = rules.left();
    expect(stderr).toBe(
      `The rule or the queue ${left} could not be removed (${causes}). docs/operate.md has the commands that remove them\n`,
    );
    expect(rules.left()).toEqual([left]);
  });

  test.each([
    ['before its first request', { shopKeys: { read: () => Promise.reject(new Error('A fault')) } }, /^$/],
    [
      'after it, and names the order',
      {
        origins() {
          throw new Error('A fault');
        },
      },
      /^Left behind: the order verify-[0-9a-f]{16} may still be open\. /,
    ],
  ])('removes the rule and the queue when the run fails %s', async (_, faulty, left) => {
    const output = { stdout: '', stderr: '' };
    await expect(run(usual, () => faulty, output)).rejects.toThrow('A fault');
    expect(rules.called.slice(-3)).toEqual(['events:RemoveTargets', 'sqs:DeleteQueue', 'events:DeleteRule']);
    expect(rules.left()).toEqual([]);
    expect(output.stderr).toMatch(left);
  });

  test('[T478] ignores the event of another order, which the rule does not even send', async () => {
    changed = () => undefined;
    const detail = {
      version: 1,
      id: 'order-1:2',
      merchant_uid: 'order-1',
      amount: 1_000,
      currency: 'KRW',
      status: 'closed',
    };
    let pattern = {};
    rules.hooks.before = (action) => {
      if (action !== 'sqs:ReceiveMessage') return;
      for (const rule of rules.rules.values()) pattern = rule.pattern;
      for (const { bodies } of rules.queues.values())
        bodies.push(JSON.stringify({ source: eventSource, 'detail-type': 'Order Closed', detail }));
    };
    expect((await run(short)).event).toContain('got no such event in time');
    expect(pattern).toEqual({
      source: [eventSource],
      'detail-type': ['Order Closed'],
      detail: { merchant_uid: [expect.stringMatching(/^verify-[0-9a-f]{16}$/)] },
    });
  });

  test.each([
    ['without an amount', { amount: undefined }],
    ['of another status', { status: 'expired' }],
    ['of another amount', { amount: 1_001 }],
  ])('reports an event %s', async (_, detail) => {
    changed = (event) => asOf(event, detail);
    const { code, event } = await run();
    expect(code).toBe(5);
    expect(event).toContain('expected Order Closed, got Order Closed of another form');
  });

  test('creates nothing when the orders are in the table of the shop', async () => {
    const { event } = await run(short, ({ deps }) => ({ deps: { ...deps, orders: { isShops: true } } }));
    expect(event).toBe(
      '- events, event Order Closed: skipped: the orders are in the table of the shop, so no order was registered',
    );
    expect(rules.called).toEqual([]);
  });

  test('closes the order only when the rule is old enough', async () => {
    const at: Record<string, number> = {};
    rules.hooks.before = (action) => {
      at[action] ??= performance.now();
    };
    // Only its presence is read.
    await run({ ...usual, ruleMs: 5_000 }, () => ({ aws: {} }));
    // A timer may end a millisecond early.
    expect((at['sqs:ReceiveMessage'] ?? 0) - (at['events:PutTargets'] ?? 0)).toBeGreaterThan(4_990);
  });
});
