/** Hundreds of things at once: due orders and reversals from before the schedule, and windows that were opened for one order. */

import { ordersIn } from '../../../functions/adapters/dynamodb/orders.ts';
import { reversalsIn } from '../../../functions/adapters/dynamodb/reversals.ts';
import { Refused } from '../../../local/iamport/refused.ts';
import { portOf } from '../table.ts';
import type { Wanted } from '../workload/buyers.ts';
import { second } from '../workload/notifications.ts';
import type { World } from '../world.ts';

const longAgo = 7_200;

/** A sale that ends for everybody at once, payments that Iamport does not know any more, and a day on which much was rejected. */
const mixes = {
  sale: { expires: 12, 'waits for an unknown payment': 1, reversal: 1 },
  unknown: { expires: 1, 'waits for an unknown payment': 12, reversal: 1 },
  reversals: { expires: 1, 'waits for an unknown payment': 1, reversal: 6 },
} as const;

/** Orders that end at the same second, orders that wait for a payment that Iamport does not know, and reversals for the operator. */
export async function makeBacklog(world: World): Promise<void> {
  const { tables, books, worlds, layout, time } = world;
  const { chance } = worlds;
  const now = Math.floor(time.now / second);
  const begun = now - longAgo;
  const orders = ordersIn(portOf(tables.orders), layout);
  const reversals = reversalsIn(portOf(tables.reversals));
  const amount = 14_000 as never;
  const count = chance.whole(150, 300);
  const mix = mixes[chance.pick({ sale: 1, unknown: 1, reversals: 1 })];
  for (let index = 0; index < count; index += 1) {
    const merchantUid = `b_${index}`;
    const impUid = `imp_b${index}`;
    const kind = chance.pick(mix);
    world.reached.count(`backlog: ${kind}`);
    if (layout.key !== 'merchant_uid') {
      tables.orders.put({ [layout.key]: { S: merchantUid }, price: { N: '14000' }, currency: { S: 'KRW' } });
    }
    const terms = { merchantUid, amount, currency: 'KRW', expiresAt: now + 60 };
    const { order } = await orders.register(terms, begun);
    if (!order) throw new Error('The backlog needs a table that takes orders');
    if (kind === 'waits for an unknown payment') {
      const account = { impUid, number: '1', dueAt: now + 60, issuedAt: begun };
      await orders.change(order, { status: 'virtual_account_issued', account }, begun);
    }
    if (kind === 'reversal') {
      const wanted = { impUid, merchantUid, kind: 'manual', reason: 'order_closed', amount, currency: 'KRW' } as const;
      await reversals.request(wanted, begun, 0);
    }
    books.beganWith(merchantUid, kind === 'waits for an unknown payment' ? 2 : 1);
  }
  world.stream.skip();
}

/** A stranger opens windows for orders that no shop registered. */
export async function openWindows({ iamport, worlds, lists }: World): Promise<void> {
  const { chance } = worlds;
  for (let count = chance.whole(3, 25); count > 0; count -= 1) {
    const { imp_uid: impUid } = iamport.ledger.open({ merchant_uid: `x_${count}`, amount: 100 });
    iamport.note(impUid);
    lists.opened(impUid, true);
    // Paid and cancelled, it lies in the list of what was cancelled.
    if (!chance.is(0.3)) continue;
    iamport.ledger.pay(impUid);
    iamport.ledger.cancelInConsole(impUid);
    iamport.note(impUid);
  }
}

/** An amount that is none in won. */
export const halfAWon = 100.5;

/** A stranger opens a window with an amount that is none. */
export async function makeBrokenAttempt({ iamport, reached }: World, { merchantUid, amount }: Wanted): Promise<void> {
  reached.count('attempt: half a won');
  try {
    const { imp_uid: impUid } = iamport.ledger.open({ merchant_uid: merchantUid, amount, currency: 'KRW' });
    iamport.ledger.payment(impUid).amount = halfAWon;
    iamport.note(impUid);
  } catch (error) {
    // Another amount is registered.
    if (!(error instanceof Refused)) throw error;
  }
}

/** A stranger opens hundreds of windows for an order; their accounts are withdrawn again. */
export async function makeAttempts(world: World, { merchantUid, amount, currency }: Wanted): Promise<void> {
  const { iamport, worlds, reached, tables, layout } = world;
  const count = worlds.chance.whole(150, 300);
  reached.count('attempts: hundreds');
  if (worlds.chance.is(0.4)) {
    // The order cannot be read: it was written by hand.
    reached.count('attempts: of an order that cannot be read');
    tables.orders.put({ [layout.key]: { S: 'unreadable' }, price: { S: 'x' }, amount: { S: 'x' }, status: { S: 'x' } });
    for (let index = 0; index < count; index += 1) {
      iamport.note(iamport.ledger.open({ merchant_uid: 'unreadable', amount: 100 }).imp_uid);
    }
    return;
  }
  try {
    for (let index = 0; index < count; index += 1) {
      const { imp_uid: impUid } = iamport.ledger.open({ merchant_uid: merchantUid, amount, currency });
      iamport.ledger.issueAccount(impUid, {});
      iamport.ledger.revokeAccount(impUid);
      iamport.note(impUid);
    }
  } catch (error) {
    // Another amount is registered, and no window opens.
    if (!(error instanceof Refused)) throw error;
  }
}
