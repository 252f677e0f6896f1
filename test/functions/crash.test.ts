/**
 * An instance may die at any await. Each scenario runs with a death before, or right after, each of its calls to Iamport or the tables.
 * Then the reconciler runs, and the order and the payment must agree.
 */

import { describe, expect, test } from 'vitest';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { type Fixture, startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

/** Thrown in place of the response that a dead instance never gets. */
class Died extends Error {}

type When = 'before' | 'after';

/** Dependencies that call nothing outside the process. */
type Local = 'unknownPayments' | 'clock' | 'count' | 'policy' | 'pageSizes' | 'config';
type Port = Exclude<keyof HandlerDependencies, Local>;
/** A record, so that a new port does not compile until it is listed. */
const ports: Record<Port, true> = {
  iamport: true,
  orders: true,
  reversals: true,
  refunds: true,
  notifications: true,
  checkpoints: true,
};

/** The same deps for an instance that dies at its nth call: before the call has an effect, or before its result arrives. */
function dyingAt(
  deps: HandlerDependencies,
  nth: number,
  when: When,
): { deps: HandlerDependencies; calls: () => number } {
  let calls = 0;
  const dying = <Target extends object>(port: Target): Target =>
    new Proxy(port, {
      get(target, name, receiver) {
        const method = Reflect.get(target, name, receiver);
        if (typeof method !== 'function') return method;
        return async (...parameters: unknown[]) => {
          calls += 1;
          if (calls > nth || (calls === nth && when === 'before')) throw new Died();
          const result = await method.apply(target, parameters);
          if (calls >= nth) throw new Died();
          return result;
        };
      },
    });
  const killed = (Object.keys(ports) as Port[]).map((port) => [port, dying(deps[port])] as const);
  return {
    deps: { ...deps, ...Object.fromEntries(killed) },
    calls: () => calls,
  };
}

interface Scenario {
  readonly name: string;
  /** Everything before the call that dies. @returns the imp_uid of the payment */
  readonly before: (fixture: Fixture) => Promise<string>;
  /** The call. */
  readonly call: (fixture: Fixture, impUid: string, deps: HandlerDependencies) => Promise<unknown>;
  /** The order in the end, at whichever call the instance died. */
  readonly end: object;
  /** The payment at Iamport in the end. */
  readonly payment: object;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'a payment is completed',
    before: async ({ paid }) => paid(),
    call: ({ complete }, impUid, deps) => complete(impUid, deps),
    end: { status: 'paid', revision: 2, reversals: [] },
    payment: { status: 'paid', cancel_amount: 0 },
  },
  {
    name: 'a forged payment is cancelled',
    before: async ({ paid }) => paid(100),
    call: ({ complete }, impUid, deps) => complete(impUid, deps),
    end: { status: 'ready', revision: 1, reversals: [{ kind: 'cancel', state: 'done' }] },
    payment: { status: 'cancelled', cancel_amount: 100, cancel_history: { length: 1 } },
  },
  {
    name: 'a second payment is cancelled',
    before: async ({ paid, webhook }) => {
      await webhook(paid());
      return paid();
    },
    call: ({ webhook }, impUid, deps) => webhook(impUid, deps),
    end: { status: 'paid', revision: 2, reversals: [{ reason: 'duplicate_payment', state: 'done' }] },
    payment: { status: 'cancelled', cancel_amount: 14_000, cancel_history: { length: 1 } },
  },
  {
    name: 'a deposit arrives',
    before: async ({ account, webhook, ledger }) => {
      const impUid = account();
      await webhook(impUid);
      ledger.deposit(impUid);
      return impUid;
    },
    call: ({ webhook }, impUid, deps) => webhook(impUid, deps),
    end: { status: 'paid', revision: 3, reversals: [] },
    payment: { status: 'paid' },
  },
  {
    name: 'an account of a paid order is revoked',
    before: async ({ paid, webhook, account }) => {
      await webhook(paid());
      return account();
    },
    call: ({ webhook }, impUid, deps) => webhook(impUid, deps),
    end: { status: 'paid', revision: 2, reversals: [{ kind: 'revoke', state: 'done' }] },
    payment: { status: 'cancelled' },
  },
  {
    name: 'a part is cancelled in the console',
    before: async ({ paid, webhook, ledger }) => {
      const impUid = paid();
      await webhook(impUid);
      ledger.cancelInConsole(impUid, 4_000);
      return impUid;
    },
    call: ({ webhook }, impUid, deps) => webhook(impUid, deps),
    end: { status: 'partial_cancelled', cancelled_amount: 4_000, revision: 3 },
    payment: { cancel_amount: 4_000 },
  },
  {
    name: 'a run of the reconciler finds a forged payment and a due account',
    before: async ({ paid, pass }) => {
      const impUid = paid(100);
      pass(300);
      return impUid;
    },
    call: ({ reconcile }, _impUid, deps) => reconcile(deps).catch(() => undefined),
    end: { status: 'ready', revision: 1, reversals: [{ state: 'done' }] },
    payment: { status: 'cancelled', cancel_amount: 100, cancel_history: { length: 1 } },
  },
];

/** Runs for longer than the backoff of an attempt whose instance died. */
async function reconcileUntilQuiet({ reconcile, pass }: Fixture): Promise<void> {
  for (let run = 0; run < 3; run += 1) {
    pass(300);
    await reconcile();
  }
}

describe.each(scenarios)('$name', ({ before, call, end, payment }) => {
  test.each<When>(['before', 'after'])(
    'leaves order and payment in agreement when the instance dies %s each of its calls',
    async (when) => {
      let deaths = 0;
      for (let nth = 1; ; nth += 1) {
        const fixture = await startFixture();
        await fixture.reconcile();
        fixture.pass(60);
        await fixture.order();
        const impUid = await before(fixture);
        const { deps, calls } = dyingAt(fixture.deps, nth, when);
        await call(fixture, impUid, deps);
        const died = calls() >= nth;
        await reconcileUntilQuiet(fixture);
        expect(await fixture.show(), `death ${when} call ${nth}`).toMatchObject(end);
        expect(fixture.ledger.payment(impUid), `death ${when} call ${nth}`).toMatchObject(payment);
        if (!died) break;
        deaths += 1;
      }
      // A scenario without a death would prove nothing.
      expect(deaths).toBeGreaterThanOrEqual(2);
    },
  );
});

describe('a refund', () => {
  test.each<When>(['before', 'after'])(
    'cancels once when the instance dies %s each of its calls and the shop repeats the request',
    async (when) => {
      let deaths = 0;
      for (let nth = 1; ; nth += 1) {
        const fixture = await startFixture();
        await fixture.order();
        const impUid = fixture.paid();
        await fixture.webhook(impUid);
        const { deps, calls } = dyingAt(fixture.deps, nth, when);
        await fixture.refund({ amount: 4_000 }, 'once', 'order-1', deps);
        const died = calls() >= nth;
        fixture.pass(300);
        expect(await fixture.refund({ amount: 4_000 }, 'once'), `death ${when} call ${nth}`).toMatchObject({
          status: 200,
          json: { refund: { state: 'done' }, order: { status: 'partial_cancelled', cancelled_amount: 4_000 } },
        });
        expect(fixture.ledger.payment(impUid), `death ${when} call ${nth}`).toMatchObject({
          cancel_amount: 4_000,
          cancel_history: { length: 1 },
        });
        if (!died) break;
        deaths += 1;
      }
      expect(deaths).toBeGreaterThanOrEqual(6);
    },
  );
});
