/** The next step of a refund after a check of its payment, and the time of the next check. */

import { describe, expect, test } from 'vitest';
import type { Refund, RefundFinding } from '../../../functions/payment/refund.ts';
import {
  accepted,
  claimed,
  deferred,
  isOverdue,
  lost,
  nextStep,
  opened,
  over,
  planRefundCheck,
  type RefundSituation,
  type RefundStep,
  refusalOpenUntil,
  refusedOnce,
  waiting,
} from '../../../functions/payment/refund-steps.ts';
import { refund } from './cases.ts';

const card = { payMethod: 'card' };
const deposit = { payMethod: 'vbank' };
const phone = { payMethod: 'phone' };
/** The refund was sent at 1,000,000. */
const early = 1_000_299;
const later = 1_000_300;
const unchanged: RefundSituation = {
  finding: 'unchanged',
  record: card,
  now: later,
  isFirst: false,
  isShopRequest: false,
  hasAccount: false,
  fits: true,
};
const pgRefused: Partial<Refund> = { refusedAt: 1_000_000, refusal: 'refused_by_pg' };

describe('the next step of a refund', () => {
  test.each<[string, Partial<Refund>, Partial<RefundSituation>, RefundStep]>([
    ['new, and the balance is unchanged', {}, { isFirst: true, now: 1_000_000 }, { kind: 'send' }],
    ['new, and the balance changed', {}, { isFirst: true, finding: 'overtaken' }, { kind: 'stale' }],
    ['new, and unclear', {}, { isFirst: true, finding: 'unclear' }, { kind: 'stale' }],
    ['lost just now', {}, { now: early }, { kind: 'wait' }],
    ['lost just now, and repeated by the shop', {}, { now: early, isShopRequest: true }, { kind: 'wait' }],
    ['lost 5 minutes ago', {}, {}, { kind: 'send' }],
    ['lost 5 minutes ago, by phone', {}, { record: phone }, { kind: 'wait', needs: 'repeat' }],
    ['by phone, repeated by the shop', {}, { record: phone, isShopRequest: true }, { kind: 'send' }],
    [
      'by phone, repeated too early',
      {},
      { record: phone, isShopRequest: true, now: early },
      { kind: 'wait', needs: 'repeat' },
    ],
    ['lost, of a deposit', {}, { record: deposit }, { kind: 'wait', needs: 'account' }],
    [
      'of a deposit, repeated without its account',
      {},
      { record: deposit, isShopRequest: true },
      { kind: 'wait', needs: 'account' },
    ],
    [
      'of a deposit, repeated with its account',
      {},
      { record: deposit, isShopRequest: true, hasAccount: true },
      { kind: 'send' },
    ],
    ['of a deposit, by the reconciler', {}, { record: deposit, hasAccount: true }, { kind: 'wait', needs: 'account' }],
    ['lost 5 minutes ago, and no longer left', {}, { fits: false }, { kind: 'wait', needs: 'operator' }],
    ['accepted, and no longer left', { acceptedAt: 1 }, { fits: false }, { kind: 'wait' }],
    ['unclear', {}, { finding: 'unclear' }, { kind: 'wait', needs: 'operator' }],
    ['accepted', { acceptedAt: 1_000_000 }, { isShopRequest: true, hasAccount: true }, { kind: 'wait' }],
    [
      'accepted, of a deposit',
      { acceptedAt: 1 },
      { record: deposit, isShopRequest: true, hasAccount: true },
      { kind: 'wait' },
    ],
    ['accepted and overtaken', { acceptedAt: 1 }, { finding: 'overtaken' }, { kind: 'wait', needs: 'operator' }],
    ['accepted, and unclear before', { acceptedAt: 1, needs: 'operator' }, {}, { kind: 'wait', needs: 'operator' }],
    ['refused just now', pgRefused, { now: early }, { kind: 'wait' }],
    ['refused 5 minutes ago', pgRefused, {}, { kind: 'refused' }],
    ['refused, then overtaken', pgRefused, { finding: 'overtaken' }, { kind: 'refused' }],
    ['refused, then unclear', pgRefused, { finding: 'unclear' }, { kind: 'wait', needs: 'operator' }],
  ])('%s', (_name, fields, situation, step) => {
    expect(nextStep({ ...refund, ...fields }, { ...unchanged, ...situation })).toStrictEqual(step);
  });

  const send: RefundStep = { kind: 'send' };
  const wait: RefundStep = { kind: 'wait' };
  const refused: RefundStep = { kind: 'refused' };
  const account: RefundStep = { kind: 'wait', needs: 'account' };
  const operator: RefundStep = { kind: 'wait', needs: 'operator' };
  const lostOnce: Partial<Refund> = { attempts: 1 };
  const lostTwice: Partial<Refund> = { attempts: 2 };
  const refusedAfterLost: Partial<Refund> = { ...pgRefused, attempts: 2 };
  const acceptedAfterLost: Partial<Refund> = { acceptedAt: 1_000_000, attempts: 2 };

  test.each<[string, Partial<Refund>, Record<'card' | 'deposit' | 'overtaken' | 'unclear', RefundStep>]>([
    ['lost', lostOnce, { card: send, deposit: account, overtaken: operator, unclear: operator }],
    ['lost twice', lostTwice, { card: send, deposit: account, overtaken: operator, unclear: operator }],
    ['refused', pgRefused, { card: refused, deposit: refused, overtaken: refused, unclear: operator }],
    [
      'lost, then refused',
      refusedAfterLost,
      { card: operator, deposit: operator, overtaken: operator, unclear: operator },
    ],
    ['accepted', { acceptedAt: 1 }, { card: wait, deposit: wait, overtaken: operator, unclear: operator }],
    ['lost, then accepted', acceptedAfterLost, { card: wait, deposit: wait, overtaken: operator, unclear: operator }],
  ])('%s: is refused only when the PG refused the only attempt [T486]', (_name, fields, { card: ofCard, ...steps }) => {
    const known: Refund = { ...refund, ...fields };
    const step = (more: Partial<RefundSituation>) => nextStep(known, { ...unchanged, ...more });
    for (const now of [later, later + 90 * 86_400]) {
      expect(step({ now })).toStrictEqual(ofCard);
      expect(step({ now, record: deposit })).toStrictEqual(steps.deposit);
      // Another cancel, or an entry of the history that may be this refund's: the method and the shop change nothing.
      for (const record of [card, phone, deposit]) {
        for (const isShopRequest of [false, true]) {
          const asked = { now, record, isShopRequest, hasAccount: isShopRequest };
          expect(step({ ...asked, finding: 'overtaken' })).toStrictEqual(steps.overtaken);
          expect(step({ ...asked, finding: 'unclear' })).toStrictEqual(steps.unclear);
        }
      }
    }
  });

  test('is done once the payment shows the refund, in every recorded state', () => {
    const finding: RefundFinding = 'done';
    for (const fields of [{}, pgRefused, refusedAfterLost, { acceptedAt: 1 }, { state: 'refused' as const }]) {
      expect(nextStep({ ...refund, ...fields }, { ...unchanged, finding })).toStrictEqual({ kind: 'done' });
    }
  });
});

describe('the next check', () => {
  test.each([
    [0, 300],
    [299, 300],
    [300, 3_600],
    [3_600, 21_600],
    [21_600, 86_400],
    [86_400, 172_800],
    [200_000, 259_200],
    [10 * 86_400 - 1, 10 * 86_400],
  ])('%s seconds after the beginning is %s seconds after the beginning', (passed, next) => {
    expect(planRefundCheck(5_000, 5_000 + passed)).toBe(5_000 + next);
  });

  test.each([
    [1, 600],
    [2, 1_200],
    [6, 19_200],
    [7, 21_600],
    [2_000, 21_600],
  ])('after attempt %s and one more is %s seconds later', (attempts, wait) => {
    expect(claimed({ ...refund, attempts }, 2_000_000)).toMatchObject({
      attempts: attempts + 1,
      sentAt: 2_000_000,
      updatedAt: 2_000_000,
      nextCheckAt: 2_000_000 + wait,
    });
  });
});

describe('the stored refund', () => {
  const at = 1_000_500;
  const {
    revision: _one,
    state: _two,
    attempts: _three,
    sentAt: _four,
    createdAt: _five,
    updatedAt: _six,
    ...request
  } = refund;
  const waits: Refund = { ...refund, needs: 'account', message: 'No response' };

  test('stores a new refund with its first attempt claimed', () => {
    expect(opened(request, 1_000_000)).toStrictEqual(refund);
  });

  test('removes `needs` when an attempt is claimed', () => {
    expect(claimed(waits, at)).not.toHaveProperty('needs');
  });

  test('stores the time of an acceptance, and nothing that the shop has to do', () => {
    expect(accepted(waits, at)).toStrictEqual({
      ...refund,
      acceptedAt: at,
      updatedAt: at,
      nextCheckAt: at + 300,
    });
  });

  test('plans a check 5 minutes after a refusal', () => {
    const refused = {
      ...refund,
      refusedAt: at,
      refusal: 'refused_by_pg',
      message: 'why',
      updatedAt: at,
      nextCheckAt: at + 300,
    };
    expect(refusedOnce(refund, 'why', at)).toStrictEqual(refused);
    const repeated = { ...refund, attempts: 2 };
    expect(refusedOnce(repeated, 'why', at)).toStrictEqual({ ...refused, attempts: 2, needs: 'operator' });
  });

  test('keeps the next check after a lost response', () => {
    expect(lost(refund, undefined, 'why', at)).toStrictEqual({ ...refund, message: 'why', updatedAt: at });
    expect(lost(refund, 'account', 'why', at)).toMatchObject({ needs: 'account', nextCheckAt: refund.nextCheckAt });
  });

  test('plans checks by the time since the acceptance, the refusal or the attempt', () => {
    expect(waiting(waits, undefined, at)).toStrictEqual({
      ...refund,
      message: 'No response',
      updatedAt: at,
      nextCheckAt: 1_003_600,
    });
    expect(waiting({ ...refund, refusedAt: at - 1 }, 'operator', at)).toMatchObject({
      needs: 'operator',
      nextCheckAt: at + 299,
    });
    expect(waiting({ ...refund, acceptedAt: at, refusedAt: 1 }, undefined, at)).toMatchObject({
      nextCheckAt: at + 300,
    });
  });

  test('removes the next check of a finished refund, and its message unless it was refused', () => {
    const { nextCheckAt: _never, ...rest } = refund;
    const refused: Refund = { ...waits, refusal: 'refused_by_pg' };
    expect(over(refused, 'done', at)).toStrictEqual({ ...rest, state: 'done', updatedAt: at });
    expect(over(refused, 'unsent', at)).toStrictEqual({ ...rest, state: 'unsent', updatedAt: at });
    const ended = { ...rest, state: 'refused', refusal: 'refused_by_pg', message: 'No response', updatedAt: at };
    expect(over(refused, 'refused', at)).toStrictEqual(ended);
    expect(over(refund, 'refused', at)).toStrictEqual({ ...rest, state: 'refused', updatedAt: at });
  });
});

describe('a refund is overdue', () => {
  const day = 86_400;
  /** Monday, 23 November 2026, 00:00 in Seoul. */
  const monday = 1_795_359_600;
  const at = (fields: Partial<Refund>) => ({ ...refund, createdAt: monday, ...fields });

  test.each<[string, Partial<Refund>, number, boolean]>([
    ['requested 3 working days ago', {}, monday + 3 * day, false],
    ['requested longer ago', {}, monday + 3 * day + 1, true],
    ['accepted since', { acceptedAt: monday + day }, monday + 4 * day, false],
    ['accepted longer ago', { acceptedAt: monday + day }, monday + 4 * day + 1, true],
    ['waiting for the shop for a working day', { needs: 'account' }, monday + day, false],
    ['waiting for the shop for longer', { needs: 'account' }, monday + day + 1, true],
    ['done', { state: 'done' }, monday + 9 * day, false],
    ['over a weekend', { createdAt: monday + 4 * day }, monday + 9 * day, false],
  ])('%s', (_name, fields, now, overdue) => {
    expect(isOverdue(at(fields), now)).toBe(overdue);
  });
});

test('checks a refund that was not sent after the others that are being sent, five minutes apart', () => {
  const message = 'Another refund of the payment was being sent. This one is checked after it.';
  const at = { message, updatedAt: 1_000_010 };
  expect(deferred(refund, 0, 1_000_010)).toStrictEqual({ ...refund, ...at, nextCheckAt: 1_000_310 });
  expect(deferred(refund, 2, 1_000_010)).toStrictEqual({ ...refund, ...at, nextCheckAt: 1_000_910 });
});

test.each<[string, Partial<Refund>, number, number | undefined]>([
  ['just refused', {}, 0, 1_000_300],
  ['in the last second before its second check', {}, 299, 1_000_300],
  ['when its second check is due', {}, 300, undefined],
  ['not refused', { refusedAt: undefined as never }, 0, undefined],
  ['accepted', { acceptedAt: 1_000_000 }, 0, undefined],
  ['left to the operator', { needs: 'operator' }, 0, undefined],
  ['done', { state: 'done' }, 0, undefined],
  ['refused for good', { state: 'refused' }, 0, undefined],
])('the refusal of a refund is open until its second check: %s', (_name, fields, after, until) => {
  expect(refusalOpenUntil({ ...refund, refusedAt: 1_000_000, ...fields }, 1_000_000 + after)).toBe(until);
});
