/**
 * An instance may die at any await. Each story is played with a death before, or right after, each single call that it makes to
 * Iamport or the tables, in turn; then the reconciler runs, and the books must agree.
 */

import { describe, expect, test, vi } from 'vitest';
import type { Rooms } from '../../functions/runtime/dependencies.ts';
import { type Opened, openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

/** What a dead instance would never answer. */
class Died extends Error {}

type When = 'before' | 'after';

/** The same rooms for an instance that dies at its nth call: before it has an effect, or before it hears of it. */
function mortal(rooms: Rooms, nth: number, when: When): { rooms: Rooms; calls: () => number } {
  let calls = 0;
  const doomed = <Port extends object>(port: Port): Port =>
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
  const { iamport, orders, reversals, refunds, checkpoints } = rooms;
  return {
    rooms: {
      ...rooms,
      iamport: doomed(iamport),
      orders: doomed(orders),
      reversals: doomed(reversals),
      refunds: doomed(refunds),
      checkpoints: doomed(checkpoints),
    },
    calls: () => calls,
  };
}

interface Story {
  readonly name: string;
  /** Everything before the call that dies. @returns the payment in question */
  readonly before: (opened: Opened) => Promise<string>;
  /** The call. */
  readonly call: (opened: Opened, impUid: string, rooms: Rooms) => Promise<unknown>;
  /** How the order stands in the end, whatever died. */
  readonly end: object;
  /** What Iamport's payment has become. */
  readonly payment: object;
}

const stories: readonly Story[] = [
  {
    name: 'a payment is completed',
    before: async ({ paid }) => paid(),
    call: ({ complete }, impUid, rooms) => complete(impUid, rooms),
    end: { status: 'paid', revision: 2, reversals: [] },
    payment: { status: 'paid', cancel_amount: 0 },
  },
  {
    name: 'a forged payment is sent back',
    before: async ({ paid }) => paid(100),
    call: ({ complete }, impUid, rooms) => complete(impUid, rooms),
    end: { status: 'ready', revision: 1, reversals: [{ kind: 'cancel', state: 'done' }] },
    payment: { status: 'cancelled', cancel_amount: 100, cancel_history: { length: 1 } },
  },
  {
    name: 'a second payment is sent back',
    before: async ({ paid, webhook }) => {
      await webhook(paid());
      return paid();
    },
    call: ({ webhook }, impUid, rooms) => webhook(impUid, rooms),
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
    call: ({ webhook }, impUid, rooms) => webhook(impUid, rooms),
    end: { status: 'paid', revision: 3, reversals: [] },
    payment: { status: 'paid' },
  },
  {
    name: 'an account of a paid order is revoked',
    before: async ({ paid, webhook, account }) => {
      await webhook(paid());
      return account();
    },
    call: ({ webhook }, impUid, rooms) => webhook(impUid, rooms),
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
    call: ({ webhook }, impUid, rooms) => webhook(impUid, rooms),
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
    call: ({ reconcile }, _impUid, rooms) => reconcile(rooms).catch(() => undefined),
    end: { status: 'ready', revision: 1, reversals: [{ state: 'done' }] },
    payment: { status: 'cancelled', cancel_amount: 100, cancel_history: { length: 1 } },
  },
];

/** More runs than the backoff of an attempt that died unheard. */
async function reconcileUntilQuiet({ reconcile, pass }: Opened): Promise<void> {
  for (let run = 0; run < 3; run += 1) {
    pass(300);
    await reconcile();
  }
}

describe.each(stories)('$name', ({ before, call, end, payment }) => {
  test.each<When>(['before', 'after'])('and the instance dies %s each of its calls in turn', async (when) => {
    let deaths = 0;
    for (let nth = 1; ; nth += 1) {
      const opened = await openRooms();
      await opened.reconcile();
      opened.pass(60);
      await opened.order();
      const impUid = await before(opened);
      const { rooms, calls } = mortal(opened.rooms, nth, when);
      await call(opened, impUid, rooms);
      const died = calls() >= nth;
      await reconcileUntilQuiet(opened);
      expect(await opened.show(), `death ${when} call ${nth}`).toMatchObject(end);
      expect(opened.ledger.payment(impUid), `death ${when} call ${nth}`).toMatchObject(payment);
      if (!died) break;
      deaths += 1;
    }
    // A story in which nothing could die would prove nothing.
    expect(deaths).toBeGreaterThanOrEqual(2);
  });
});

describe('a refund', () => {
  test.each<When>(['before', 'after'])(
    'whose instance dies %s each of its calls gives back once, and the shop asks again',
    async (when) => {
      let deaths = 0;
      for (let nth = 1; ; nth += 1) {
        const opened = await openRooms();
        await opened.order();
        const impUid = opened.paid();
        await opened.webhook(impUid);
        const { rooms, calls } = mortal(opened.rooms, nth, when);
        await opened.refund({ amount: 4_000 }, 'once', 'order-1', rooms);
        const died = calls() >= nth;
        opened.pass(300);
        expect(await opened.refund({ amount: 4_000 }, 'once'), `death ${when} call ${nth}`).toMatchObject({
          status: 200,
          json: { refund: { state: 'done' }, order: { status: 'partial_cancelled', cancelled_amount: 4_000 } },
        });
        expect(opened.ledger.payment(impUid), `death ${when} call ${nth}`).toMatchObject({
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
