/** Refunds whose response is lost, a refusal, late or only an acceptance, and cancels whose reason the PG changes. */

import { describe, expect, test } from 'vitest';
import { IamportUnavailable } from '../../functions/application/faults.ts';
import { refunds } from '../../functions/handlers/refunds.ts';
import { refundEvents } from '../../functions/payment/events.ts';
import { refundId } from '../../functions/payment/refund.ts';
import { over } from '../../functions/payment/refund-steps.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import type { Settings } from '../../local/iamport/settings.ts';
import { eventOf } from '../support/event.ts';
import { startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

const account = { holder: '홍길동', bank: '011', number: '352-0000-0000-00' };
const day = 86_400;

/** An order that is paid by card, phone bill or transfer. */
async function paidBy(payMethod: string) {
  const fixture = await startFixture();
  await fixture.order();
  const { imp_uid: impUid } = fixture.ledger.open({ merchant_uid: 'order-1', amount: 14_000 });
  fixture.ledger.pay(impUid, { payMethod });
  await fixture.webhook(impUid);
  return { ...fixture, impUid, ...recordEvents(fixture.deps, impUid) };
}

/** An order that is paid into a virtual account. */
async function depositedOrder() {
  const fixture = await startFixture();
  await fixture.order();
  const impUid = fixture.account();
  fixture.ledger.deposit(impUid);
  await fixture.webhook(impUid);
  return { ...fixture, impUid, ...recordEvents(fixture.deps, impUid) };
}

/** A refund of 4,000 with this key, with the header that says when to repeat it. */
async function temporaryFault(deps: HandlerDependencies, key: string) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const body = JSON.stringify({ amount: 4_000, reason: '단순 변심' });
  const request = eventOf({ method: 'POST', pathParameters: { merchant_uid: 'order-1' }, headers, body });
  const response = await handleRequest(refunds, deps, request, 'request');
  return {
    status: response.statusCode,
    retryAfter: response.headers?.['retry-after'],
    json: JSON.parse(response.body ?? '{}'),
  };
}

/** The events that the publisher derives from the writes of a refund. */
function recordEvents(deps: HandlerDependencies, impUid: string) {
  const events: string[] = [];
  const { change } = deps.refunds;
  Object.assign(deps.refunds, {
    change: async (...[read, next]: Parameters<typeof change>) => {
      const result = await change(read, next);
      if (result.written) events.push(...refundEvents(read, result.value).map(({ name }) => name));
      return result;
    },
  });
  const stored = (key: string) => deps.refunds.read(refundId({ impUid, key }));
  return { events, stored };
}

describe('a refund whose response was lost', () => {
  test.each<[string, Partial<Settings>, string]>([
    ['when the PG cuts its reason', { cancelReasons: 'cut' }, '반품입니다. '.repeat(20)],
    ['when the PG replaces its reason', { cancelReasons: 'replaced' }, '반품'],
    ['when the history has no reason', { cancelReasons: 'dropped' }, '반품'],
    ['when its reason begins with a blank and has an emoji', {}, '  반품 😀'],
  ])('finds the refund %s', async (_name, settings, reason) => {
    const { refund, iamport, ledger, impUid, show, events, pass } = await paidBy('card');
    Object.assign(iamport.settings, settings);
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    expect(await refund({ amount: 4_000, reason }, 'a')).toMatchObject({ status: 202 });
    pass(60);
    expect(await refund({ amount: 4_000, reason }, 'a')).toMatchObject({
      status: 200,
      json: { refund: { state: 'done' } },
    });
    expect(ledger.payment(impUid)).toMatchObject({ cancel_amount: 4_000, cancel_history: { length: 1 } });
    expect(await show()).toMatchObject({ status: 'partial_cancelled' });
    expect(events).toEqual(['Refund Completed']);
  });

  test('leaves two refunds that match one cancel to the operator, and repeats neither', async () => {
    const { refund, iamport, ledger, impUid, show, reconcile, events, pass } = await paidBy('card');
    iamport.settings.cancelReasons = 'replaced';
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await refund({ amount: 4_000 }, 'a');
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    await refund({ amount: 4_000 }, 'b');
    for (const wait of [300, 300, day, 4 * day]) {
      pass(wait);
      await reconcile();
    }
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({
      status: 202,
      json: { refund: { needs: 'operator' } },
    });
    expect((await show()).refunds).toMatchObject([{ needs: 'operator' }, { needs: 'operator' }]);
    expect(ledger.payment(impUid).cancel_amount).toBe(4_000);
    expect(events).toEqual([]);
    pass(day);
    expect(await reconcile()).toMatchObject({ overdue: 2 });
  });
});

describe('a refund whose response was lost, and that the PG pays back later', () => {
  test('stays open after another cancel, and is done when the PG pays it back [T487]', async () => {
    const { refund, iamport, ledger, impUid, reconcile, show, events, pass } = await paidBy('card');
    iamport.settings.pgDefersCancels = true;
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 202 });
    ledger.cancelInConsole(impUid, 1_000);
    for (const wait of [300, 300, day]) {
      pass(wait);
      await reconcile();
      expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({
        status: 202,
        json: { refund: { state: 'requested', needs: 'operator', attempts: 1 } },
      });
    }
    expect(events).toEqual([]);
    ledger.processDeferred();
    pass(day);
    await reconcile();
    expect(await show()).toMatchObject({ cancelled_amount: 5_000, refunds: [{ state: 'done' }] });
    expect(events).toEqual(['Refund Completed']);
  });

  test('stays open when the PG refuses the next attempt, and is not sent again [T488]', async () => {
    const { refund, iamport, ledger, reconcile, show, events, stored, pass } = await paidBy('card');
    iamport.settings.pgDefersCancels = true;
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 202 });
    iamport.settings.pgRefusesCancels = true;
    pass(300);
    const response = { status: 202, json: { refund: { needs: 'operator', refusal: 'refused_by_pg', attempts: 2 } } };
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject(response);
    iamport.settings.pgRefusesCancels = false;
    for (const wait of [300, 300, day]) {
      pass(wait);
      await reconcile();
      expect(await refund({ amount: 4_000 }, 'a')).toMatchObject(response);
    }
    expect((await stored('a'))?.message).toContain('Check it in the console');
    expect(ledger.acceptedCancels).toHaveLength(1);
    expect(events).toEqual([]);
    ledger.processDeferred();
    pass(day);
    await reconcile();
    expect(await show()).toMatchObject({ cancelled_amount: 4_000, refunds: [{ state: 'done' }] });
    expect(events).toEqual(['Refund Completed']);
  });
});

describe('a refusal of the PG', () => {
  test('returns 409 at once, and refuses the refund after a second check', async () => {
    const { refund, iamport, ledger, impUid, show, reconcile, events, stored, pass } = await paidBy('card');
    iamport.settings.pgRefusesCancels = true;
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({
      status: 409,
      json: {
        code: 'refund_refused',
        detail: expect.stringMatching(/^PG사에서 취소 요청을 거절하였습니다\. .*checked again/),
      },
    });
    expect(await show()).toMatchObject({ status: 'paid', refunds: [{ state: 'requested', refusal: 'refused_by_pg' }] });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 409 });
    iamport.settings.pgRefusesCancels = false;
    pass(300);
    await reconcile();
    expect(await stored('a')).toMatchObject({ state: 'refused', attempts: 1 });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({
      status: 409,
      json: { detail: 'PG사에서 취소 요청을 거절하였습니다.' },
    });
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
    expect(events).toEqual(['Refund Refused']);
  });

  test('sends no other refund of the payment until the second check of a refusal [T657]', async () => {
    const { deps, refund, iamport, ledger, impUid, stored, pass } = await paidBy('card');
    iamport.faults.add({ path: '/payments/cancel', status: 400 });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 409 });
    pass(1);
    expect(await temporaryFault(deps, 'b')).toMatchObject({
      status: 503,
      retryAfter: '299',
      json: { code: 'order_busy', detail: expect.stringContaining('The PG has just refused the refund a') },
    });
    expect(await stored('b')).toBeUndefined();
    // The PG performs what it refused. The next key then finds the first refund done.
    ledger.cancel({ imp_uid: impUid, amount: 4_000, reason: `[k${(await stored('a'))?.cancelKey}]` });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 200 });
    expect(ledger.payment(impUid).cancel_amount).toBe(4_000);
    expect(await refund({ amount: 1_000 }, 'c')).toMatchObject({ status: 200 });
  });

  test('sends another refund once the second check of a refusal is due, and not before [T658]', async () => {
    const { deps, refund, iamport, ledger, impUid, pass } = await paidBy('card');
    iamport.faults.add({ path: '/payments/cancel', status: 400 });
    await refund({ amount: 4_000 }, 'a');
    pass(299);
    expect(await temporaryFault(deps, 'b')).toMatchObject({ status: 503, retryAfter: '1' });
    pass(1);
    expect(await refund({ amount: 4_000 }, 'b')).toMatchObject({ status: 200 });
    expect(ledger.payment(impUid).cancel_amount).toBe(4_000);
  });

  test.each([0, 300, day])('finishes the refund when the history shows the cancel %s seconds later', async (later) => {
    const { refund, iamport, ledger, impUid, reconcile, events, stored, pass } = await paidBy('card');
    // The PG returns an error, and cancels the amount a while later.
    iamport.faults.add({ path: '/payments/cancel', status: 400 });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 409 });
    pass(later);
    if (later > 0) await reconcile();
    const storedRefund = await stored('a');
    expect(storedRefund?.state).toBe(later > 0 ? 'refused' : 'requested');
    ledger.cancel({ imp_uid: impUid, amount: 4_000, reason: `[k${storedRefund?.cancelKey}] 단순 변심` });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 200, json: { refund: { state: 'done' } } });
    expect(ledger.payment(impUid).cancel_amount).toBe(4_000);
    expect(events.at(-1)).toBe('Refund Completed');
  });

  test("stores the refusal without the buyer's account", async () => {
    const { refund, stored, deps } = await depositedOrder();
    const { IamportRefused } = await import('../../functions/application/faults.ts');
    const cancel = async () => {
      throw new IamportRefused('예금주 홍길동 불일치: 352000000000 (352-0000-0000-00)', { status: 200 });
    };
    const refused = await refund({ account }, 'a', 'order-1', { ...deps, iamport: { ...deps.iamport, cancel } });
    expect(refused).toMatchObject({ status: 409 });
    expect(JSON.stringify([refused, await stored('a')])).not.toMatch(/홍길동|352/);
    expect((await stored('a'))?.message).toContain('불일치');
  });
});

describe('a refund that Iamport accepts and pays back later', () => {
  test.each(['card', 'phone', 'vbank'])('only checks an accepted refund by %s, for 8 days', async (method) => {
    const { refund, iamport, ledger, impUid, reconcile, events, pass, show } =
      method === 'vbank' ? await depositedOrder() : await paidBy(method);
    iamport.settings.pgDefersCancels = true;
    const request = () => refund({ amount: 4_000, ...(method === 'vbank' && { account }) }, 'a');
    expect(await request()).toMatchObject({
      status: 202,
      json: { refund: { state: 'requested', accepted_at: expect.any(Number) } },
    });
    for (const wait of [300, 3_300, 5 * 3_600, day, day]) {
      pass(wait);
      await reconcile();
      expect(await request()).toMatchObject({ status: 202 });
    }
    expect(ledger.acceptedCancels).toHaveLength(1);
    expect(events).toEqual([]);
    pass(6 * day);
    expect(await reconcile()).toMatchObject({ overdue: 1 });
    ledger.processDeferred();
    pass(day);
    await reconcile();
    expect(await show()).toMatchObject({ status: 'partial_cancelled', refunds: [{ state: 'done' }] });
    expect(ledger.payment(impUid).cancel_amount).toBe(4_000);
    expect(events).toEqual(['Refund Completed']);
  });

  test('subtracts an accepted refund from the amount of another one', async () => {
    const { refund, iamport, ledger } = await paidBy('card');
    iamport.settings.pgDefersCancels = true;
    await refund({ amount: 10_000 }, 'a');
    expect(await refund({ amount: 4_001 }, 'b')).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
    expect(await refund({})).toMatchObject({ status: 202, json: { refund: { amount: 4_000 } } });
    expect(await refund({})).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
    expect(ledger.acceptedCancels.map(({ amount }) => amount)).toEqual([10_000, 4_000]);
  });

  test('leaves to the operator an earlier one without a response that is no longer left [T526]', async () => {
    const { refund, iamport, ledger, pass, reconcile, stored } = await paidBy('card');
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
    expect(await refund({ amount: 10_000 }, 'a')).toMatchObject({ status: 202 });
    iamport.settings.pgDefersCancels = true;
    expect(await refund({ amount: 10_000 }, 'b')).toMatchObject({ status: 202 });
    for (const wait of [300, 3_600, day]) {
      pass(wait);
      await reconcile();
    }
    expect(await stored('a')).toMatchObject({ state: 'requested', attempts: 1, needs: 'operator' });
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('subtracts it from the amount of another one, after a third one overtook it too [T525]', async () => {
    const { refund, iamport, ledger, pass, reconcile, stored } = await depositedOrder();
    iamport.settings.pgDefersCancels = true;
    expect(await refund({ amount: 4_000, account }, 'a')).toMatchObject({ status: 202 });
    iamport.settings.pgDefersCancels = false;
    expect(await refund({ amount: 4_000, account }, 'b')).toMatchObject({ status: 200 });
    pass(300);
    await reconcile();
    expect(await stored('a')).toMatchObject({ state: 'requested', needs: 'operator' });
    iamport.settings.pgDefersCancels = true;
    expect(await refund({ account }, 'c')).toMatchObject({ status: 202, json: { refund: { amount: 6_000 } } });
    expect(ledger.acceptedCancels.map(({ amount }) => amount)).toEqual([4_000, 4_000, 6_000]);
  });

  test('subtracts from another one what the operator has returned outside Iamport [T588]', async () => {
    const { refund, iamport, ledger, deps, impUid, now } = await paidBy('card');
    iamport.settings.pgDefersCancels = true;
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 202 });
    const accepted = await deps.refunds.read({ impUid, key: 'a' });
    if (!accepted) throw new Error('The refund is not stored');
    // `ops -- returned`, since the PG does not perform it.
    await deps.refunds.change(accepted, over(accepted, 'done', now()));
    iamport.settings.pgDefersCancels = false;
    expect(await refund({ amount: 10_001 }, 'b')).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
    expect(await refund({}, 'c')).toMatchObject({ status: 200, json: { refund: { amount: 10_000 } } });
    expect(ledger.acceptedCancels.map(({ amount }) => amount)).toEqual([4_000, 10_000]);
  });

  test('leaves to the operator an earlier one that is not left beside it [T589]', async () => {
    const { refund, iamport, ledger, deps, impUid, now, pass, reconcile, stored } = await paidBy('card');
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
    expect(await refund({ amount: 12_000 }, 'a')).toMatchObject({ status: 202 });
    iamport.settings.pgDefersCancels = true;
    expect(await refund({ amount: 4_000 }, 'b')).toMatchObject({ status: 202 });
    const accepted = await deps.refunds.read({ impUid, key: 'b' });
    if (!accepted) throw new Error('The refund is not stored');
    await deps.refunds.change(accepted, over(accepted, 'done', now()));
    iamport.settings.pgDefersCancels = false;
    pass(300);
    await reconcile();
    expect(await stored('a')).toMatchObject({ state: 'requested', attempts: 1, needs: 'operator' });
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('records an acceptance by the code of a response without a payment', async () => {
    const { refund, iamport, ledger, reconcile, pass, stored } = await paidBy('card');
    const { cancel } = ledger;
    iamport.settings.pgDefersCancels = true;
    Object.assign(ledger, {
      cancel: (...parameters: Parameters<typeof cancel>) => ({ ...cancel.apply(ledger, parameters), amount: null }),
    });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 202 });
    expect(await stored('a')).toMatchObject({ acceptedAt: expect.any(Number) });
    pass(day);
    await reconcile();
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('stays with the operator after the bank took the deposit back, although the buyer pays again [T494]', async () => {
    const { refund, iamport, ledger, impUid, stored, webhook, reconcile, pass, show } = await depositedOrder();
    iamport.settings.pgDefersCancels = true;
    expect(await refund({ reason: '반품', account }, 'a')).toMatchObject({ status: 202 });
    ledger.takeBackDeposit(impUid);
    pass(300);
    await reconcile();
    expect(await stored('a')).toMatchObject({ state: 'requested', needs: 'operator' });
    ledger.deposit(impUid);
    await webhook(impUid);
    expect(await show()).toMatchObject({ status: 'paid' });
    for (const wait of [3_600, 6 * 3_600, day]) {
      pass(wait);
      await reconcile();
    }
    expect(await stored('a')).toMatchObject({ state: 'requested', needs: 'operator' });
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('keeps the acceptance when a concurrent request of the shop writes the refund', async () => {
    const { refund, iamport, deps, stored, pass, ledger } = await paidBy('phone');
    iamport.settings.pgDefersCancels = true;
    const cancel: typeof deps.iamport.cancel = async (...parameters) => {
      const after = await deps.iamport.cancel(...parameters);
      const claimed = (await stored('a')) ?? expect.unreachable();
      await deps.refunds.change(claimed, { ...claimed, message: 'written meanwhile' });
      return after;
    };
    const raced = { ...deps, iamport: { ...deps.iamport, cancel } };
    expect(await refund({ amount: 4_000 }, 'a', 'order-1', raced)).toMatchObject({ status: 202 });
    expect(await stored('a')).toMatchObject({ revision: 4, acceptedAt: expect.any(Number) });
    pass(300);
    await refund({ amount: 4_000 }, 'a');
    expect(ledger.acceptedCancels).toHaveLength(1);
  });
});

describe('a refund by a method that the PG may only register', () => {
  test('waits for the account of a deposit, and continues when the shop repeats the key with it', async () => {
    const { refund, iamport, ledger, impUid, reconcile, show, pass } = await depositedOrder();
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    expect(await refund({ account }, 'a')).toMatchObject({ status: 202, json: { refund: { needs: 'account' } } });
    pass(300);
    await reconcile();
    expect((await show()).refunds).toMatchObject([{ key: 'a', state: 'requested', needs: 'account', attempts: 1 }]);
    expect(await refund({}, 'a')).toMatchObject({ status: 202, json: { refund: { needs: 'account' } } });
    expect(await refund({ account }, 'a')).toMatchObject({ status: 200, json: { refund: { state: 'done' } } });
    expect(ledger.payment(impUid).cancel_history).toHaveLength(1);
  });

  test('repeats a refund of a phone bill only on a request of the shop', async () => {
    const { refund, iamport, ledger, impUid, reconcile, pass } = await paidBy('phone');
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 202, json: { refund: { needs: 'repeat' } } });
    pass(day);
    await reconcile();
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 200 });
  });
});

describe('a refund whose cancel was certainly not sent', () => {
  test.each<[string, (fixture: Awaited<ReturnType<typeof paidBy>>) => HandlerDependencies]>([
    [
      'when Iamport issues no token',
      ({ iamport, deps }) => {
        // The payment is read with a valid token, which then expires before the cancel.
        const cancel: typeof deps.iamport.cancel = (...parameters) => {
          iamport.tokens.forget();
          iamport.faults.add({ path: '/users/getToken', status: 500, times: 9 });
          return deps.iamport.cancel(...parameters);
        };
        return { ...deps, iamport: { ...deps.iamport, cancel } };
      },
    ],
    [
      'when no time is left',
      ({ deps }) => {
        const cancel: typeof deps.iamport.cancel = (request) => deps.iamport.cancel(request, { leftMs: () => 3_999 });
        return { ...deps, iamport: { ...deps.iamport, cancel } };
      },
    ],
  ])(
    'returns 503 with retry-after, without a stored refund %s, and the same key starts again [T648]',
    async (_name, broken) => {
      const fixture = await paidBy('card');
      const { refund, iamport, ledger, impUid, show, reconcile, events, pass } = fixture;
      const { status, retryAfter, json } = await temporaryFault(broken(fixture), 'a');
      expect({ status, retryAfter, json }).toMatchObject({
        ...{ status: 503, retryAfter: '5' },
        json: { code: 'iamport_unavailable' },
      });
      iamport.faults.clear();
      expect(await show()).toMatchObject({ status: 'paid', refunds: [] });
      pass(day);
      await reconcile();
      expect(ledger.payment(impUid).cancel_amount).toBe(0);
      expect(await refund({ amount: 5_000 }, 'a')).toMatchObject({ status: 200, json: { refund: { amount: 5_000 } } });
      expect(ledger.payment(impUid).cancel_amount).toBe(5_000);
      expect(events).toEqual(['Refund Completed']);
    },
  );

  test('keeps a repeated refund requested, since an earlier attempt may have been sent', async () => {
    const fixture = await paidBy('card');
    const { refund, iamport, deps, stored, pass } = fixture;
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
    await refund({ amount: 4_000 }, 'a');
    pass(300);
    const cancel: typeof deps.iamport.cancel = (request) => deps.iamport.cancel(request, { leftMs: () => 0 });
    const late = { ...deps, iamport: { ...deps.iamport, cancel } };
    expect(await refund({ amount: 4_000 }, 'a', 'order-1', late)).toMatchObject({ status: 202 });
    expect(await stored('a')).toMatchObject({ state: 'requested', attempts: 2 });
  });
});

test('returns 400 that names the header for a partial refund without idempotency-key', async () => {
  const { refund, ledger } = await paidBy('card');
  expect(await refund({ amount: 4_000 })).toMatchObject({
    status: 400,
    json: { code: 'invalid_request', detail: 'A refund with an amount needs the header idempotency-key.' },
  });
  expect(ledger.acceptedCancels).toEqual([]);
});

describe('tax parts', () => {
  const taxed = async () => {
    const fixture = await startFixture();
    await fixture.order('order-1', { tax_free: 5_000, vat_amount: 818 });
    await fixture.webhook(fixture.paid());
    return fixture;
  };

  test('returns the tax parts of an order, which never change', async () => {
    const { order, show, put } = await taxed();
    expect(await show()).toMatchObject({ tax_free: 5_000, vat_amount: 818 });
    expect(await put('order-1', { tax_free: 5_000, vat_amount: 818 })).toMatchObject({ status: 200 });
    for (const other of [{ tax_free: 5_000 }, { tax_free: 5_000, vat_amount: 0 }, {}]) {
      expect(await put('order-1', other)).toMatchObject({ status: 409, json: { code: 'order_exists' } });
    }
    await order('order-2', { tax_free: 0 });
    expect(await show('order-2')).toMatchObject({ tax_free: 0 });
    expect(await show('order-2')).not.toHaveProperty('vat_amount');
    for (const wrong of [{ tax_free: -1 }, { vat_amount: 0.5 }, { tax_free: 13_500, vat_amount: 501 }]) {
      expect(await put('order-3', wrong)).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    }
  });

  test('sends the tax parts of a refund, 0 included, with the telephone number and the requester', async () => {
    const { refund, ledger, show } = await depositedOrder();
    const tel = '010-0000-0000';
    const more = { tax_free: 0, vat_amount: 91, account: { ...account, tel }, requester: 'customer' };
    expect(await refund({ amount: 1_000, ...more }, 'a')).toMatchObject({ status: 200 });
    expect(ledger.acceptedCancels).toMatchObject([
      { amount: 1_000, tax_free: 0, vat_amount: 91, refund_tel: tel, extra: { requester: 'customer' } },
    ]);
    expect((await show()).refunds).toMatchObject([{ tax_free: 0, vat_amount: 91, requester: 'customer' }]);
    expect(await refund({ amount: 1_000, ...more, vat_amount: 92 }, 'a')).toMatchObject({
      status: 409,
      json: { code: 'refund_key_used' },
    });
    for (const wrong of [
      { tax_free: 901, vat_amount: 100 },
      { tax_free: -1 },
      { vat_amount: 0.5 },
      { requester: 'me' },
    ]) {
      expect(await refund({ amount: 1_000, account, ...wrong }, 'b')).toMatchObject({
        status: 400,
        json: { code: 'invalid_request' },
      });
    }
  });

  test('sends the remaining tax parts with a refund of the remaining amount [T70]', async () => {
    const { refund, ledger } = await taxed();
    await refund({ amount: 4_000, tax_free: 1_000, vat_amount: 272 }, 'a');
    expect(await refund({})).toMatchObject({ status: 200 });
    expect(ledger.acceptedCancels).toMatchObject([
      { amount: 4_000, tax_free: 1_000, vat_amount: 272 },
      { amount: 10_000, tax_free: 4_000, vat_amount: 546 },
    ]);
  });

  test('returns 400 without tax parts after a cancel in the console, whose parts are unknown', async () => {
    const { refund, ledger } = await taxed();
    const impUid = ledger.entries()[0]?.payment.imp_uid ?? '';
    ledger.cancelInConsole(impUid, 4_000);
    expect(await refund({})).toMatchObject({ status: 400, json: { detail: expect.stringContaining('tax_free') } });
    expect(await refund({ tax_free: 3_000, vat_amount: 600 })).toMatchObject({ status: 200 });
    expect(ledger.acceptedCancels).toMatchObject([{ amount: 10_000, tax_free: 3_000, vat_amount: 600 }]);
  });
});

test('sends a refund again soon after an outage of Iamport that lasted a day [T565]', async () => {
  const { order, complete, paid, refund, reconcile, show, pass, iamport, deps } = await startFixture();
  await order();
  await complete(paid());
  iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
  expect(await refund({ amount: 1_000 }, 'key-1')).toMatchObject({ status: 202 });
  const noResponse = async () => {
    throw new IamportUnavailable('Iamport returned 503');
  };
  const down: HandlerDependencies = {
    ...deps,
    iamport: { ...deps.iamport, payment: noResponse, listPayments: noResponse },
  };
  for (let hour = 0; hour < 25; hour += 1) {
    pass(3_600);
    await reconcile(down);
  }
  pass(300);
  await reconcile();
  expect((await show()).refunds).toMatchObject([{ state: 'done', attempts: 2 }]);
});
