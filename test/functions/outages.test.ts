/** Single payments and items that get no response do not look like an outage, and an outage does not look like them. */

import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { IamportRefused, IamportUnavailable } from '../../functions/application/faults.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

type Iamport = HandlerDependencies['iamport'];
const numbered = (count: number, name = 'order') => Array.from({ length: count }, (_none, index) => `${name}-${index}`);

/** The same deps, with an Iamport that returns none of these payments. @param slowMs the time of each call */
function without(deps: HandlerDependencies, isPoisoned: (id: string) => boolean, slowMs = 0): HandlerDependencies {
  const { iamport, clock } = deps;
  const unanswered = async (id: string) => {
    if (!isPoisoned(id)) return;
    const end = clock.now() + slowMs;
    // Calls at the same time end at the same time.
    await setImmediate();
    if (clock.now() < end) await clock.sleep(end - clock.now());
    throw new IamportUnavailable('Iamport returned 500');
  };
  const payment: Iamport['payment'] = async (impUid, ...rest) => {
    await unanswered(impUid);
    return iamport.payment(impUid, ...rest);
  };
  const payments: Iamport['payments'] = async (merchantUid, ...rest) => {
    await unanswered(merchantUid);
    return iamport.payments(merchantUid, ...rest);
  };
  return { ...deps, iamport: { ...iamport, payment, payments } };
}

/** The Iamport account has other payments, such as those of another shop. */
async function startWithOthers() {
  const fixture = await startFixture();
  const { ledger, pass } = fixture;
  for (const merchant_uid of numbered(40, 'other')) ledger.pay(ledger.open({ merchant_uid, amount: 1_000 }).imp_uid);
  pass(3_600);
  return fixture;
}

describe('payments of a page that get no response', () => {
  const startWithPaid = async (poisoned: number, good: number) => {
    const fixture = await startWithOthers();
    const { order, paid, reconcile, pass, deps } = fixture;
    await reconcile();
    pass(60);
    const ids = new Set<string>();
    for (const merchantUid of numbered(poisoned, 'poisoned')) {
      await order(merchantUid);
      ids.add(paid(14_000, merchantUid)).add(merchantUid);
      pass(1);
    }
    for (const merchantUid of numbered(good, 'good')) {
      await order(merchantUid);
      paid(14_000, merchantUid);
      pass(1);
    }
    pass(60);
    const checkpoint = async () => (await deps.checkpoints.read(['recent'])).checkpoint('recent');
    return { ...fixture, isPoisoned: (id: string) => ids.has(id), checkpoint };
  };

  test('do not stop the ones behind them, also ten in a row [T608]', async () => {
    const { reconcile, pass, deps, show, checkpoint, isPoisoned } = await startWithPaid(10, 12);
    expect(await reconcile(without(deps, isPoisoned))).toMatchObject({ finished: true, settled: 12 });
    expect((await checkpoint())?.unresolved).toHaveLength(10);
    expect((await show('good-11')).status).toBe('paid');
    pass(3_600);
    expect(await reconcile()).toMatchObject({ finished: true, settled: 10, faults: [] });
    expect((await show('poisoned-9')).status).toBe('paid');
  });

  test('stay in their page while Iamport returns no payment at all [T609]', async () => {
    const { reconcile, pass, deps, checkpoint } = await startWithPaid(0, 30);
    for (let run = 0; run < 12; run += 1) {
      expect(await reconcile(without(deps, (id) => id.startsWith('imp_')))).toMatchObject({ finished: false });
      expect((await checkpoint())?.unresolved).toEqual([]);
      pass(300);
    }
    expect(await reconcile()).toMatchObject({ finished: true, settled: 30 });
  });

  test('wait in their page while the checkpoint has no place for them [T614]', async () => {
    const { reconcile, pass, deps, checkpoint, isPoisoned, now } = await startWithPaid(1, 1);
    const full = numbered(500, 'unresolved').map((merchantUid) => ({
      ...{ merchantUid, impUid: `imp_${merchantUid}`, since: now(), nextAt: now() + 86_400 },
    }));
    const known = await checkpoint();
    if (known) await deps.checkpoints.write('recent', { ...known, unresolved: full });
    expect(await reconcile(without(deps, isPoisoned))).toMatchObject({ finished: false, settled: 1, skipped: 0 });
    pass(300);
    expect(await reconcile()).toMatchObject({ finished: true, settled: 1 });
  });

  test('use up the time of few runs, and not of each one [T610]', async () => {
    // A run has time for about a hundred of them.
    const { order, paid, reconcile, pass, deps, show, isPoisoned } = await startWithPaid(140, 2);
    const slow = without(deps, isPoisoned, 8_000);
    for (let run = 0; run < 9; run += 1) {
      await reconcile(slow);
      pass(300);
    }
    expect((await show('good-1')).status).toBe('paid');
    // The payments that are retried leave time for the scan.
    await order('new');
    paid(14_000, 'new');
    pass(300);
    await reconcile(slow);
    expect((await show('new')).status).toBe('paid');
  });
});

describe('due items that get no response', () => {
  /** Twenty refunds without a response, whose payments Iamport does not return, and a later one that it returns. */
  const startWithRefunds = async () => {
    const fixture = await startWithOthers();
    const { order, paid, complete, refund, pass, iamport } = fixture;
    const ids = new Set<string>();
    for (const merchantUid of [...numbered(20, 'poisoned'), 'good']) {
      await order(merchantUid);
      const impUid = paid(14_000, merchantUid);
      if (merchantUid !== 'good') ids.add(impUid);
      await complete(impUid);
      iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
      await refund({ amount: 1_000 }, 'key-1', merchantUid);
      pass(1);
    }
    const isPoisoned = (id: string) => ids.has(id);
    const refundOf = async (merchantUid: string) => (await fixture.show(merchantUid)).refunds[0];
    return { ...fixture, isPoisoned, refundOf };
  };

  test('do not stop the ones behind them, also twenty refunds in a row [T611]', async () => {
    const { deps, reconcile, pass, refundOf, isPoisoned } = await startWithRefunds();
    pass(600);
    await reconcile(without(deps, isPoisoned));
    expect(await refundOf('good')).toMatchObject({ state: 'done' });
    let calls = 0;
    const counting = (id: string) => {
      if (isPoisoned(id)) calls += 1;
      return isPoisoned(id);
    };
    for (let run = 0; run < 60; run += 1) {
      if (run === 48) calls = 0;
      pass(300);
      await reconcile(without(deps, counting));
    }
    // They are checked at growing intervals.
    expect(calls).toBeLessThan(20 * 3);
    pass(6 * 3_600);
    await reconcile();
    expect(await refundOf('poisoned-19')).toMatchObject({ state: 'done' });
  });

  test('stay due while Iamport returns lists and no payment [T612]', async () => {
    const { deps, reconcile, pass, refundOf } = await startWithRefunds();
    for (let hour = 0; hour < 25; hour += 1) {
      pass(3_600);
      await reconcile(without(deps, (id) => id.startsWith('imp_')));
    }
    pass(300);
    await reconcile();
    expect(await refundOf('poisoned-0')).toMatchObject({ state: 'done' });
    expect(await refundOf('good')).toMatchObject({ state: 'done' });
  });

  test('stay due while Iamport refuses the keys [T613]', async () => {
    const { deps, reconcile, pass, refundOf } = await startWithRefunds();
    const refuse = async () => {
      throw new IamportRefused('Iamport does not accept imp_key and imp_secret', { status: 401, notSent: true });
    };
    const refused = { ...deps, iamport: { ...deps.iamport, payment: refuse, payments: refuse, listPayments: refuse } };
    for (let hour = 0; hour < 25; hour += 1) {
      pass(3_600);
      await reconcile(refused);
    }
    pass(300);
    await reconcile();
    expect(await refundOf('poisoned-0')).toMatchObject({ state: 'done' });
    expect(await refundOf('good')).toMatchObject({ state: 'done' });
  });
});
