/** Crowds: hundreds of orders and reversals that were due before the scenario, and hundreds of payment windows of one order. */

import { createOrders } from '../../../functions/adapters/dynamodb/orders.ts';
import { createReversals } from '../../../functions/adapters/dynamodb/reversals.ts';
import { Refused } from '../../../local/iamport/refused.ts';
import type { SimulationContext } from '../context.ts';
import { portOf } from '../table.ts';
import { second } from '../units.ts';
import type { Wanted } from '../workload/wanted.ts';

/** When the items of the backlog were written; seconds before the beginning. */
const backlogAge = 7_200;

/** The kinds of backlog: a sale whose orders expire at once, payments that Iamport no longer knows, or many rejected payments. */
const mixes = {
  sale: { expires: 12, 'waits for an unknown payment': 1, reversal: 1 },
  unknown: { expires: 1, 'waits for an unknown payment': 12, reversal: 1 },
  reversals: { expires: 1, 'waits for an unknown payment': 1, reversal: 6 },
} as const;

/** Writes orders that expire in the same second, orders that wait for an unknown payment, and reversals for the operator. */
export async function makeBacklog(context: SimulationContext): Promise<void> {
  const { tables, safety, worlds, mapping, time } = context;
  const { random } = worlds;
  const now = Math.floor(time.now / second);
  const begun = now - backlogAge;
  const orders = createOrders(portOf(tables.orders), mapping);
  const reversals = createReversals(portOf(tables.reversals));
  const amount = 14_000 as never;
  const count = random.whole(150, 300);
  const mix = mixes[random.pick({ sale: 1, unknown: 1, reversals: 1 })];
  for (let index = 0; index < count; index += 1) {
    const merchantUid = `b_${index}`;
    const impUid = `imp_b${index}`;
    const kind = random.pick(mix);
    context.coverage.count(`backlog: ${kind}`);
    if (mapping.key !== 'merchant_uid') {
      tables.orders.put({ [mapping.key]: { S: merchantUid }, price: { N: '14000' }, currency: { S: 'KRW' } });
    }
    const terms = { merchantUid, amount, currency: 'KRW', expiresAt: now + 60 };
    const registration = await orders.register(terms, begun);
    if (!registration.written) throw new Error('The backlog needs a table that accepts orders');
    if (kind === 'waits for an unknown payment') {
      const account = { impUid, number: '1', depositDeadline: now + 60, issuedAt: begun };
      await orders.change(registration.value, { status: 'virtual_account_issued', account }, begun);
    }
    if (kind === 'reversal') {
      const wanted = { impUid, merchantUid, kind: 'manual', reason: 'order_closed', amount, currency: 'KRW' } as const;
      await reversals.request(wanted, begun, 0);
    }
    safety.beganWith(merchantUid, kind === 'waits for an unknown payment' ? 2 : 1);
  }
  context.stream.skip();
}

/** An unknown sender opens payment windows for orders that no shop registered. */
export async function openWindows({ iamport, worlds, lists }: SimulationContext): Promise<void> {
  const { random } = worlds;
  for (let count = random.whole(3, 25); count > 0; count -= 1) {
    const { imp_uid: impUid } = iamport.ledger.open({ merchant_uid: `x_${count}`, amount: 100 });
    iamport.recordChange(impUid);
    lists.opened(impUid, true);
    // A payment that was paid and cancelled is in Iamport's list of cancelled payments.
    if (!random.is(0.3)) continue;
    iamport.ledger.pay(impUid);
    iamport.ledger.cancelInConsole(impUid);
    iamport.recordChange(impUid);
  }
}

/** An amount that is invalid in won. */
export const halfAWon = 100.5;

/** An unknown sender opens a payment window with an invalid amount. */
export async function makeBrokenAttempt(
  { iamport, coverage }: SimulationContext,
  { merchantUid, amount }: Wanted,
): Promise<void> {
  coverage.count('attempt: half a won');
  try {
    const { imp_uid: impUid } = iamport.ledger.open({ merchant_uid: merchantUid, amount, currency: 'KRW' });
    iamport.ledger.payment(impUid).amount = halfAWon;
    iamport.recordChange(impUid);
  } catch (error) {
    // Another amount is registered for this order.
    if (!(error instanceof Refused)) throw error;
  }
}

/** An unknown sender opens hundreds of payment windows for an order, takes virtual accounts and revokes them. */
export async function makeAttempts(
  context: SimulationContext,
  { merchantUid, amount, currency }: Wanted,
): Promise<void> {
  const { iamport, worlds, coverage, tables, mapping } = context;
  const count = worlds.random.whole(150, 300);
  coverage.count('attempts: hundreds');
  if (worlds.random.is(0.4)) {
    // An item that was written by hand, and that we cannot read.
    coverage.count('attempts: of an order that cannot be read');
    tables.orders.put({
      [mapping.key]: { S: 'unreadable' },
      price: { S: 'x' },
      amount: { S: 'x' },
      status: { S: 'x' },
    });
    for (let index = 0; index < count; index += 1) {
      iamport.recordChange(iamport.ledger.open({ merchant_uid: 'unreadable', amount: 100 }).imp_uid);
    }
    return;
  }
  try {
    for (let index = 0; index < count; index += 1) {
      const { imp_uid: impUid } = iamport.ledger.open({ merchant_uid: merchantUid, amount, currency });
      iamport.ledger.issueAccount(impUid, {});
      iamport.ledger.revokeAccount(impUid);
      iamport.recordChange(impUid);
    }
  } catch (error) {
    // Another amount is registered, so no window opens.
    if (!(error instanceof Refused)) throw error;
  }
}
