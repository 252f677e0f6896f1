/** A shop's own table that is older than the deployment: it has an order that an earlier system settled and delivered. */

import { Refused } from '../../../local/iamport/refused.ts';
import type { SimulationContext } from '../context.ts';
import { hour, minute } from '../units.ts';
import type { NotificationSender } from '../workload/notifications.ts';
import type { Wanted } from '../workload/wanted.ts';

/** The buyer may report the payment until then. */
const endsAfter = 90 * minute;
/** Before the first run has recorded the beginning, money of the last 10 minutes settles an order. */
const leastAge = 15 * minute;

/** Creates the order and its payment, and plans what happens to them in the deployment. */
export function adoptOrder(context: SimulationContext, notifications: NotificationSender): void {
  const { iamport, shop, rules, worlds, coverage, began } = context;
  const { random } = worlds;
  const wanted: Wanted = { merchantUid: 'm_adopted', amount: random.whole(100, 50_000), currency: 'KRW' };
  const { merchantUid: merchant_uid, amount, currency } = wanted;
  shop.create(wanted);
  const { imp_uid: impUid } = iamport.ledger.open({ merchant_uid, amount, currency });
  iamport.ledger.pay(impUid);
  const paidAt = began - random.whole(leastAge, 48 * hour) / 1000;
  Object.assign(iamport.ledger.payment(impUid), { started_at: Math.floor(paidAt) - 60, paid_at: Math.floor(paidAt) });
  iamport.recordChange(impUid);
  rules.ownership.adopted(impUid);
  coverage.count('adopted: an order');

  const at = (probability: number, act: () => Promise<void>) => {
    if (random.is(probability)) notifications.after(random.whole(minute, endsAfter), act);
  };
  at(0.7, () => notifications.browser(impUid));
  at(0.3, () => notifications.browser(impUid, { isAlone: true }));
  at(0.5, () => shop.act(wanted));
  at(0.5, async () => {
    iamport.ledger.cancelInConsole(impUid, Math.ceil(amount / 3));
    notifications.changed(impUid);
  });
  // A new attempt fails, and raises the revision of the order.
  at(0.4, async () => {
    try {
      const { imp_uid: failed } = iamport.ledger.open({ merchant_uid, amount: wanted.amount, currency });
      iamport.ledger.fail(failed, '한도 초과');
      notifications.changed(failed);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  });
  context.extendTo(endsAfter + 30 * minute);
}
