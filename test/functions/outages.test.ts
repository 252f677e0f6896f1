/** Single payments and items that get no response do not look like an outage, and an outage does not look like them. */

import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { IamportUnavailable } from '../../functions/application/faults.ts';
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
