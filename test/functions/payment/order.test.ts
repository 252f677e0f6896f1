/** Getters of an order, and its number. */

import { expect, test } from 'vitest';
import { isOrderNumber, statusSetBy } from '../../../functions/payment/order.ts';
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

test.each(['o', '주문-1', 'a b', '1'.repeat(40), '...', 'a.', '😀'])('%j is an order number', (text) => {
  expect(isOrderNumber(text)).toBe(true);
});

test.each([
  ['empty', ''],
  ['a dot', '.'],
  ['two dots', '..'],
  ['a blank first', ' a'],
  ['a blank last', 'a '],
  ['41 characters', '1'.repeat(41)],
  ['a control character', 'a\u0007b'],
  ['an invisible character', 'a\u200bb'],
  ['half an emoji', 'a\ud83db'],
  ['a private character', 'a\ue000b'],
  ['an unassigned character', 'a\u0378b'],
  ['a line separator', 'a\u2028b'],
  ['a paragraph separator', 'a\u2029b'],
])('%s is no part of an order number', (_name, text) => {
  expect(isOrderNumber(text)).toBe(false);
});
