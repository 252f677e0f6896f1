/** Refunds of one payment at the same time, or before the index `by-order` has the earlier one, by a PG that pays back later. */

import { describe, expect, test } from 'vitest';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

const account = { holder: '홍길동', bank: '011', number: '352-0000-0000-00' };

/** An order of 14,000 won that is paid by card or into a virtual account, at a PG that pays back later. */
async function paidBy(payMethod: 'card' | 'vbank') {
  const fixture = await startFixture();
  const { iamport, ledger, order, paid, account: issued, webhook } = fixture;
  await order();
  const impUid = payMethod === 'card' ? paid() : issued();
  if (payMethod === 'vbank') ledger.deposit(impUid);
  await webhook(impUid);
  iamport.settings.pgDefersCancels = true;
  return { ...fixture, accepted: () => ledger.acceptedCancels.map(({ amount }) => amount) };
}

/** The index has none of the latest writes yet. */
const lagging = (deps: HandlerDependencies): HandlerDependencies => ({
  ...deps,
  reversals: { ...deps.reversals, ofOrder: async () => ({ reversals: [], refunds: [], unreadable: [] }) },
});

/** Runs the other request right before a refund becomes `requested`. */
function pausedBefore(deps: HandlerDependencies, other: () => Promise<unknown>): HandlerDependencies {
  const { refunds } = deps;
  const change: typeof refunds.change = async (read, next) => {
    if (next.state === 'requested') await other();
    return refunds.change(read, next);
  };
  return { ...deps, refunds: { ...refunds, change } };
}

test('sends one of two full refunds without a key, and asks the other request to come again [T510]', async () => {
  const { refund, accepted } = await paidBy('card');
  const results = await Promise.all([refund({}), refund({})]);
  expect(results.map(({ status }) => status).sort()).toEqual([202, 503]);
  expect(results.find(({ status }) => status === 503)).toMatchObject({ json: { code: 'order_busy' } });
  expect(await refund({})).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
  expect(accepted()).toEqual([14_000]);
});

test('never accepts more than is left by two partial refunds at once', async () => {
  const { refund, accepted } = await paidBy('vbank');
  const part = { amount: 10_000, account };
  const results = await Promise.all([refund(part, 'a'), refund(part, 'b')]);
  expect(results.map(({ status }) => status).sort()).toEqual([202, 503]);
  expect(accepted()).toEqual([10_000]);
});

test('counts a refund that the index by-order does not have yet [T511]', async () => {
  const { deps, refund, accepted } = await paidBy('vbank');
  expect(await refund({ amount: 10_000, account }, 'a')).toMatchObject({ status: 202 });
  const second = await refund({ amount: 10_000, account }, 'b', 'order-1', lagging(deps));
  expect(second).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
  expect(await refund({ amount: 4_000, account }, 'b', 'order-1', lagging(deps))).toMatchObject({ status: 202 });
  expect(accepted()).toEqual([10_000, 4_000]);
});

test('counts a refund of a version that announced none', async () => {
  const { deps, refund, accepted } = await paidBy('vbank');
  const unannounced = { ...deps, refunds: { ...deps.refunds, announce: async () => true } };
  expect(await refund({ amount: 10_000, account }, 'a', 'order-1', unannounced)).toMatchObject({ status: 202 });
  expect(await refund({ amount: 10_000, account }, 'b')).toMatchObject({ status: 409 });
  expect(accepted()).toEqual([10_000]);
});

test('does not send a refund that a later one has not counted, since its request was paused [T512]', async () => {
  const { deps, refund, accepted } = await paidBy('vbank');
  const part = { amount: 10_000, account };
  const paused = pausedBefore(deps, async () => {
    expect(await refund(part, 'b', 'order-1', lagging(deps))).toMatchObject({ status: 202 });
  });
  expect(await refund(part, 'a', 'order-1', paused)).toMatchObject({ status: 503, json: { code: 'order_busy' } });
  expect(await refund(part, 'a')).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
  expect(accepted()).toEqual([10_000]);
});

test('sends nothing while another refund waits for its response [T513]', async () => {
  const { deps, refund, accepted, pass } = await paidBy('card');
  const cancel: typeof deps.iamport.cancel = async (...parameters) => {
    expect(await refund({ amount: 10_000 }, 'b')).toMatchObject({ status: 503, json: { code: 'order_busy' } });
    return deps.iamport.cancel(...parameters);
  };
  const slow = { ...deps, iamport: { ...deps.iamport, cancel } };
  expect(await refund({ amount: 10_000 }, 'a', 'order-1', slow)).toMatchObject({ status: 202 });
  pass(60);
  expect(await refund({ amount: 10_000 }, 'b')).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
  expect(accepted()).toEqual([10_000]);
});

test('continues after a request that died before its refund was requested [T514]', async () => {
  const { deps, refund, accepted, show } = await paidBy('vbank');
  const dying = pausedBefore(deps, async () => {
    throw new Error('The instance died');
  });
  const part = { amount: 10_000, account };
  expect(await refund(part, 'a', 'order-1', dying)).toMatchObject({ status: 500 });
  expect(await show()).toMatchObject({ refunds: [] });
  expect(await refund({ amount: 14_000, account }, 'b')).toMatchObject({ status: 202 });
  expect(await refund(part, 'a')).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
  expect(accepted()).toEqual([14_000]);
});

describe('a refund whose response was lost is not repeated beside another one that the PG may make [T536]', () => {
  const part = { amount: 10_000 };

  /** The request of `a` got no response, was not performed, and is due again. */
  async function lostRefund() {
    const fixture = await paidBy('card');
    fixture.iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
    expect(await fixture.refund(part, 'a')).toMatchObject({ status: 202 });
    fixture.pass(300);
    return fixture;
  }

  test('when the index by-order does not have the other one yet', async () => {
    const { deps, refund, reconcile, accepted } = await lostRefund();
    expect(await refund(part, 'b')).toMatchObject({ status: 202 });
    await reconcile(lagging(deps));
    expect(accepted()).toEqual([10_000]);
  });

  test('when the other one is accepted before the repeat is claimed', async () => {
    const { deps, refund, reconcile, accepted } = await lostRefund();
    let other = async () => {
      other = async () => undefined;
      expect(await refund(part, 'b')).toMatchObject({ status: 202 });
    };
    await reconcile(pausedBefore(deps, () => other()));
    expect(accepted()).toEqual([10_000]);
  });

  test('when the repeat is sent while the other one is decided', async () => {
    const { deps, refund, reconcile, accepted } = await lostRefund();
    const paused = pausedBefore(deps, () => reconcile());
    expect(await refund(part, 'b', 'order-1', paused)).toMatchObject({ status: 503, json: { code: 'order_busy' } });
    expect(accepted()).toEqual([10_000]);
  });
});

/** Two repeats of a run continue after both were claimed. A single one waits for a second. */
function claimedTogether(deps: HandlerDependencies): HandlerDependencies {
  const { refunds } = deps;
  let waiting: (() => void) | undefined;
  const change: typeof refunds.change = async (read, next) => {
    const result = await refunds.change(read, next);
    if (next.attempts === read.attempts) return result;
    if (waiting) waiting();
    else {
      await new Promise<void>((resolve) => {
        waiting = resolve;
        setTimeout(resolve, 1_000);
      });
      waiting = undefined;
    }
    return result;
  };
  return { ...deps, refunds: { ...refunds, change } };
}

test('sends one of two refunds without a response whose repeats find each other [T576]', async () => {
  const { deps, refund, reconcile, pass, iamport, ledger, show } = await paidBy('card');
  iamport.settings.pgDefersCancels = false;
  iamport.faults.add({ path: '/payments/cancel', answer: 'reset', times: 2 });
  for (const key of ['a', 'b']) expect(await refund({ amount: 3_000 }, key)).toMatchObject({ status: 202 });
  for (let runs = 0; runs < 3; runs += 1) {
    pass(300);
    await reconcile(claimedTogether(deps));
  }
  // The cancel of the first one changed the payment, so the PG may still make the other one.
  expect((await show()).refunds).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ key: 'a', state: 'done' }),
      expect.objectContaining({ key: 'b', state: 'requested', needs: 'operator' }),
    ]),
  );
  expect(ledger.acceptedCancels.map(({ amount }) => amount)).toEqual([3_000]);
});
