/** Gives the use cases of one request its deadline, so that no function passes it on. */

import { type Deadline, deadlineIn } from '../shared/clock.ts';
import type { InTime, Ports } from './ports.ts';

/** @returns the ports of one request: every call to Iamport ends within the deadline */
export function inTime<Deps extends Ports>(deps: Deps, deadline: Deadline): InTime<Deps> {
  const { iamport } = deps;
  return {
    ...deps,
    deadline,
    within: (ms) => inTime(deps, deadlineIn(deps.clock, ms)),
    iamport: {
      payment: (impUid, tier) => iamport.payment(impUid, deadline, tier),
      newestPayment: (merchantUid, tier, status) => iamport.newestPayment(merchantUid, deadline, tier, status),
      payments: (merchantUid, tier) => iamport.payments(merchantUid, deadline, tier),
      listPayments: (query) => iamport.listPayments(query, deadline),
      cancel: (request, tier) => iamport.cancel(request, deadline, tier),
      revokeAccount: (impUid, tier) => iamport.revokeAccount(impUid, deadline, tier),
      prepare: (order, replaced) => iamport.prepare(order, deadline, replaced),
    },
  };
}
