/** Getters of an order. */

import { expect, test } from 'vitest';
import { statusSetBy } from '../../../functions/payment/order.ts';
import { otherUid, states, thisUid } from './cases.ts';

test.each([
  ['paid by this card', thisUid],
  ['partly cancelled, another', otherUid],
  ['waits for this account', thisUid],
  ['waits for a newer account, after a failure', otherUid],
  ['failed by another, knows this account', otherUid],
  ['ready, this account is gone', undefined],
  ['expired with this account', undefined],
  ['closed', undefined],
])('the status of %s was set by %s', (name, impUid) => {
  expect(statusSetBy(states[name] ?? expect.unreachable(name))).toBe(impUid);
});
