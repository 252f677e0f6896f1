/** Iamport accepts a refund or a reversal, and DynamoDB fails while the acceptance is recorded. */

import { describe, expect, test, vi } from 'vitest';
import { IamportAccepted, NoTimeLeft, StoreUnavailable, StoreUnexpected } from '../../functions/application/faults.ts';
import { reconcile } from '../../functions/application/reconcile/reconcile.ts';
import { emptyReport } from '../../functions/application/reconcile/report.ts';
import { opened } from '../../functions/payment/reversal.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { deadlineIn } from '../../functions/shared/clock.ts';
import { beginning, startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

/** A fault of a write: which tries it concerns, from 1, and whether the write takes effect all the same. */
interface Fault {
  readonly isOf: (nth: number) => boolean;
  readonly error: Error;
  readonly takesEffect?: boolean;
}

const noResponse = new StoreUnavailable('DynamoDB returned no response');

/** The same method with a fault. @returns it, and how often it was called */
function failing<Parameters extends unknown[], Result>(
  method: (...parameters: Parameters) => Promise<Result>,
  { isOf, error, takesEffect = false }: Fault,
) {
  let calls = 0;
  return {
    calls: () => calls,
    async method(...parameters: Parameters): Promise<Result> {
      calls += 1;
      if (!isOf(calls)) return method(...parameters);
      if (takesEffect) await method(...parameters);
      throw error;
    },
  };
}

/** A paid order, whose PG registers a refund of it and performs it later. `send` sends the refund. */
async function refundOfAnOrder(fault: Fault) {
  const fixture = await startFixture();
  const { deps, iamport, refund } = fixture;
  await fixture.order();
  const impUid = fixture.paid();
  await fixture.webhook(impUid);
  iamport.settings.pgDefersCancels = true;
  const { method, calls } = failing(deps.refunds.change, fault);
  // The write that makes a new refund `requested` is none of the faulty ones.
  const change: typeof method = (read, next) =>
    read.state === 'unsent' ? deps.refunds.change(read, next) : method(read, next);
  return {
    ...fixture,
    name: `the refund ${impUid}/a`,
    calls,
    send: (others: Partial<HandlerDependencies> = {}) =>
      refund({ amount: 4_000 }, 'a', 'order-1', { ...deps, ...others, refunds: { ...deps.refunds, change } }),
    recorded: () => deps.refunds.read({ impUid, key: 'a' }),
  };
}

/** A payment of a wrong amount, whose PG registers the cancel of it and performs it later. `send` sends the cancel. */
async function cancelOfAPayment(fault: Fault) {
  const fixture = await startFixture();
  const { deps, iamport, complete } = fixture;
  await fixture.order();
  iamport.settings.pgDefersCancels = true;
  const impUid = fixture.paid(100);
  const { method: move, calls: moves } = failing(deps.reversals.move, fault);
  const { method: finish, calls: finishes } = failing(deps.reversals.finish, fault);
  return {
    ...fixture,
    name: `the cancel of ${impUid}`,
    calls: () => moves() + finishes(),
    send: (others: Partial<HandlerDependencies> = {}) =>
      complete(impUid, { ...deps, ...others, reversals: { ...deps.reversals, move, finish } }),
    recorded: () => deps.reversals.read(impUid),
  };
}

const requests = { 'a refund': refundOfAnOrder, 'a cancel': cancelOfAPayment };
const firstTry = (nth: number) => nth === 1;
const everyTry = () => true;
const day = 86_400;

describe.each(Object.entries(requests))('%s that Iamport accepted', (_name, start) => {
  test.each([
    ['has no effect', false],
    ['has an effect, but no response', true],
  ])('is recorded by the next try when the first write %s, and is not sent again [T482]', async (_how, takesEffect) => {
    const fault = { isOf: firstTry, error: noResponse, takesEffect };
    const { send, calls, recorded, reconcile, pass, ledger } = await start(fault);
    expect((await send()).status).toBeLessThan(300);
    expect(calls()).toBe(2);
    expect(await recorded()).toMatchObject({ state: 'requested', acceptedAt: expect.any(Number) });
    for (const wait of [300, day]) {
      pass(wait);
      await reconcile();
    }
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('is not recorded again when the payment shows it: the next attempt finds it there', async () => {
    const { send, iamport, calls, recorded, reconcile, pass, ledger } = await start({
      isOf: firstTry,
      error: noResponse,
    });
    iamport.settings.pgDefersCancels = false;
    expect(await send()).toMatchObject({ status: 503, json: { code: 'store_unavailable' } });
    expect(calls()).toBe(1);
    pass(300);
    await reconcile();
    expect(await recorded()).toMatchObject({ state: 'done' });
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('is recorded after a response without a payment, too', async () => {
    const { send, deps, recorded } = await start({ isOf: firstTry, error: noResponse });
    const cancel: typeof deps.iamport.cancel = async (...parameters) => {
      await deps.iamport.cancel(...parameters);
      throw new IamportAccepted('Iamport accepted the cancel, but its response contains no payment');
    };
    expect((await send({ iamport: { ...deps.iamport, cancel } })).status).toBeLessThan(300);
    expect(await recorded()).toMatchObject({ acceptedAt: expect.any(Number) });
  });

  test('stays without a record after an outage until the deadline: 503, and a log line that names it [T483]', async () => {
    const { send, name, calls, recorded, reconcile, now, pass, ledger } = await start({
      isOf: everyTry,
      error: noResponse,
    });
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    const begin = now();
    const detail = expect.stringMatching(/^Iamport accepted the cancel, and it could not be recorded/);
    expect(await send()).toMatchObject({ status: 503, json: { code: 'store_unavailable', detail } });
    // The last try begins in the last second of the 10 s, and no wait goes beyond them.
    expect(now() - begin).toBeGreaterThanOrEqual(9);
    expect(now() - begin).toBeLessThanOrEqual(10);
    expect(calls()).toBe(13);
    expect(logged.mock.lastCall?.[0]).toMatchObject({
      causes: [
        `AcceptanceNotRecorded: Iamport accepted ${name}, and it could not be recorded. Check in the Iamport console that it was made only once`,
        'StoreUnavailable: DynamoDB returned no response',
      ],
    });
    const record = await recorded();
    expect(record).toMatchObject({ state: 'requested', attempts: 1 });
    expect(record).not.toHaveProperty('acceptedAt');
    // The reconciler reads the payment, which shows the cancel by now.
    ledger.processDeferred();
    pass(300);
    await reconcile();
    expect(await recorded()).toMatchObject({ state: 'done', attempts: 1 });
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('is not recorded again when its record cannot be parsed [T484]', async () => {
    const error = new StoreUnexpected('The record was deleted during the write');
    const { send, calls, now } = await start({ isOf: everyTry, error });
    const begin = now();
    expect(await send()).toMatchObject({ status: 500 });
    expect(calls()).toBe(1);
    expect(now()).toBe(begin);
  });
});

test.each([
  ['DynamoDB does not respond', noResponse],
  ['no time is left for a call to Iamport', new NoTimeLeft('No time left to call Iamport')],
])(
  'a refund whose payment cannot be settled because %s stays open, and the next attempt finds it',
  async (_why, error) => {
    const { send, deps, iamport, recorded, ledger, refund, show } = await refundOfAnOrder({ isOf: () => false, error });
    iamport.settings.pgDefersCancels = false;
    let isSent = false;
    const cancel: typeof deps.iamport.cancel = async (...parameters) => {
      isSent = true;
      return deps.iamport.cancel(...parameters);
    };
    const change: typeof deps.orders.change = async (...parameters) => {
      if (isSent) throw error;
      return deps.orders.change(...parameters);
    };
    const failed = { iamport: { ...deps.iamport, cancel }, orders: { ...deps.orders, change } };
    expect(await send(failed)).toMatchObject({ status: 503 });
    expect(await recorded()).toMatchObject({ state: 'requested', attempts: 1 });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 200, json: { refund: { state: 'done' } } });
    expect(await show()).toMatchObject({ status: 'partial_cancelled', cancelled_amount: 4_000 });
    expect(ledger.acceptedCancels).toHaveLength(1);
  },
);

test('an acceptance drops the request for a repeat that a repeat of the shop wrote meanwhile', async () => {
  let repeat: (() => Promise<unknown>) | undefined;
  const isOf = (nth: number) => nth === 1;
  const fixture = await refundOfAnOrder({ isOf, error: noResponse });
  const { send, deps, recorded, ledger } = fixture;
  // The wait between the two tries of the record.
  const sleep = async (ms: number) => {
    await deps.clock.sleep(ms);
    await repeat?.();
  };
  repeat = async () => {
    repeat = undefined;
    const known = await recorded();
    if (!known) throw new Error('The refund is not recorded');
    await deps.refunds.change(known, { ...known, needs: 'account', message: 'No response arrived.' });
  };
  expect((await send({ clock: { ...deps.clock, sleep } })).status).toBe(202);
  expect(await recorded()).toMatchObject({ state: 'requested', acceptedAt: expect.any(Number) });
  expect(await recorded()).not.toHaveProperty('needs');
  expect(ledger.acceptedCancels).toHaveLength(1);
});

test('an acceptance is recorded, although the reversal was left to the operator during the call [T495]', async () => {
  const { deps, iamport, order, paid, complete, pass, reconcile, ledger } = await startFixture();
  await order();
  iamport.settings.pgDefersCancels = true;
  const impUid = paid(100);
  const manual: HandlerDependencies = { ...deps, policy: { ...deps.policy, reversals: 'manual' } };
  const cancel: typeof deps.iamport.cancel = async (...parameters) => {
    const after = await deps.iamport.cancel(...parameters);
    // An instance of a version that replaces a request during its call.
    const sent = await deps.reversals.read(impUid);
    if (!sent) throw new Error('The reversal is not recorded');
    await deps.reversals.move(sent, opened({ ...sent, kind: 'manual' }, 0, beginning));
    return after;
  };
  await complete(impUid, { ...deps, iamport: { ...deps.iamport, cancel } });
  const expected = {
    kind: 'manual',
    state: 'manual',
    acceptedAt: expect.any(Number),
    message: expect.stringMatching(/^Iamport accepted/),
  };
  expect(await deps.reversals.read(impUid)).toMatchObject(expected);
  pass(300);
  await reconcile(manual);
  expect(ledger.acceptedCancels).toHaveLength(1);
});

test('a deployment that leaves reversals to the operator replaces no cancel during its call', async () => {
  const { deps, iamport, order, paid, complete, ledger } = await startFixture();
  await order();
  iamport.settings.pgDefersCancels = true;
  const impUid = paid(100);
  const manual: HandlerDependencies = { ...deps, policy: { ...deps.policy, reversals: 'manual' } };
  const cancel: typeof deps.iamport.cancel = async (...parameters) => {
    const after = await deps.iamport.cancel(...parameters);
    await complete(impUid, manual);
    return after;
  };
  await complete(impUid, { ...deps, iamport: { ...deps.iamport, cancel } });
  const expected = { kind: 'cancel', state: 'requested', acceptedAt: expect.any(Number) };
  expect(await deps.reversals.read(impUid)).toMatchObject(expected);
  expect(ledger.acceptedCancels).toHaveLength(1);
});

test('an acceptance is kept when a later deployment leaves reversals to the operator [T524]', async () => {
  const { deps, iamport, order, paid, complete, pass, reconcile, ledger } = await startFixture();
  await order();
  iamport.settings.pgDefersCancels = true;
  const impUid = paid(100);
  await complete(impUid);
  pass(300);
  await reconcile({ ...deps, policy: { ...deps.policy, reversals: 'manual' } });
  const expected = { kind: 'cancel', state: 'requested', acceptedAt: expect.any(Number) };
  expect(await deps.reversals.read(impUid)).toMatchObject(expected);
  ledger.processDeferred();
  pass(3_600);
  await reconcile({ ...deps, policy: { ...deps.policy, reversals: 'manual' } });
  expect(await deps.reversals.read(impUid)).toMatchObject({ state: 'done' });
  expect(ledger.acceptedCancels).toHaveLength(1);
});

test.each(['cancel', 'refund'])(
  'a run of the reconciler that DynamoDB ends reports the %s that it could not record',
  async (kind) => {
    const { deps, iamport, order, paid, webhook, complete, refund, pass } = await startFixture();
    await order();
    const impUid = paid(kind === 'cancel' ? 100 : 14_000);
    if (kind === 'refund') await webhook(impUid);
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    if (kind === 'cancel') await complete(impUid);
    else await refund({ amount: 4_000 }, 'a');
    iamport.settings.pgDefersCancels = true;
    pass(3_600);
    let isDown = false;
    const failsWhenDown = <Call extends (...parameters: never[]) => Promise<unknown>>(call: Call) =>
      (async (...parameters: never[]) => {
        if (isDown) throw noResponse;
        return call(...parameters);
      }) as Call;
    const cancel: typeof deps.iamport.cancel = async (...parameters) => {
      isDown = true;
      return deps.iamport.cancel(...parameters);
    };
    const { reversals, refunds } = deps;
    const down = {
      iamport: { ...deps.iamport, cancel },
      reversals: { ...reversals, move: failsWhenDown(reversals.move), due: failsWhenDown(reversals.due) },
      refunds: { ...refunds, change: failsWhenDown(refunds.change) },
    };
    const report = emptyReport();
    const run = reconcile({ ...deps, ...down }, deadlineIn(deps.clock, 115_000), report);
    await expect(run).rejects.toThrow('DynamoDB returned no response');
    const named = kind === 'cancel' ? `the cancel of ${impUid}` : `the refund ${impUid}/a`;
    expect(report.faults).toEqual([expect.stringContaining(`Iamport accepted ${named}, and it could not be recorded`)]);
  },
);
