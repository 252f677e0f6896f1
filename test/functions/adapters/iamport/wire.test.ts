import { describe, expect, test } from 'vitest';
import { envelopeOf, paymentOf, preparedOf, tokenOf } from '../../../../functions/adapters/iamport/wire.ts';
import { IamportUnexpected } from '../../../../functions/application/faults.ts';
import { accountPayment, cardPayment } from './payments.ts';

const stateOf = (fields: object) => paymentOf({ ...cardPayment, ...fields }).state;

describe('a payment is read by its amounts and times, not by its status alone', () => {
  test('a paid card payment keeps everything, and nothing personal comes along', () => {
    expect(paymentOf(cardPayment)).toEqual({
      impUid: 'imp_100000000001',
      merchantUid: 'order-1',
      amount: 14_000,
      currency: 'KRW',
      sandbox: false,
      record: {
        payMethod: 'card',
        pgProvider: 'html5_inicis',
        pgTid: 'StdpayCARDINIpayTest20261123',
        applyNum: '30001234',
        receiptUrl: 'https://iniweb.inicis.com/receipt',
        paidAt: 1_763_860_100,
      },
      startedAt: 1_763_860_000,
      state: { kind: 'kept', kept: 14_000 },
    });
  });

  test.each<[string, object, object]>([
    ['cancelled in full', { status: 'cancelled', cancel_amount: 14_000 }, { kind: 'returned' }],
    [
      'called cancelled after a partial cancel',
      { status: 'cancelled', cancel_amount: 4_000 },
      { kind: 'kept', kept: 10_000 },
    ],
    ['called paid after a partial cancel', { cancel_amount: 4_000 }, { kind: 'kept', kept: 10_000 }],
    ['called paid after a full cancel', { cancel_amount: 14_000 }, { kind: 'returned' }],
    [
      'cancelled in part without a time of payment, but with a history',
      { status: 'cancelled', cancel_amount: 4_000, paid_at: 0, cancel_history: [{ amount: 4_000 }] },
      { kind: 'kept', kept: 10_000 },
    ],
    ['cancelled before any money moved', { status: 'cancelled', paid_at: 0, cancel_amount: 0 }, { kind: 'returned' }],
    ['a window that was opened', { status: 'ready', paid_at: 0 }, { kind: 'ready' }],
    [
      'a window for an account that was not issued',
      { status: 'ready', pay_method: 'vbank', vbank_num: null },
      { kind: 'ready' },
    ],
    [
      'failed',
      { status: 'failed', failed_at: 1_763_860_200, fail_reason: '한도 초과' },
      { kind: 'failed', failedAt: 1_763_860_200, reason: '한도 초과' },
    ],
    [
      'failed without a reason',
      { status: 'failed', failed_at: 1_763_860_200, fail_reason: '' },
      { kind: 'failed', failedAt: 1_763_860_200 },
    ],
  ])('%s', (_name, fields, state) => {
    expect(stateOf(fields)).toEqual(state);
  });

  test('an issued account comes with all that the buyer needs', () => {
    expect(paymentOf(accountPayment).state).toEqual({
      kind: 'awaiting_deposit',
      account: {
        impUid: 'imp_100000000002',
        bank: '신한은행',
        number: '562-119-12345678',
        holder: '한국상점',
        dueAt: 1_763_999_999,
        issuedAt: 1_763_860_050,
      },
    });
  });

  test('an account without a holder is an account', () => {
    expect(paymentOf({ ...accountPayment, vbank_holder: null }).state.kind).toBe('awaiting_deposit');
  });
});

describe("float noise in Iamport's amounts is rounded to the unit of the currency", () => {
  test.each<[string, object, object]>([
    [
      '0.30000000000000004 dollars cancelled',
      { amount: 10, cancel_amount: 0.1 + 0.2, currency: 'USD' },
      { kind: 'kept', kept: 970 },
    ],
    ['13999.999999999998 won paid', { amount: 13_999.999999999998 }, { kind: 'kept', kept: 14_000 }],
    [
      '1e-9 won left of a cancelled payment',
      { status: 'cancelled', cancel_amount: 14_000 - 1e-9 },
      { kind: 'returned' },
    ],
  ])('%s', (_name, fields, state) => {
    expect(stateOf(fields)).toEqual(state);
  });

  test.each<[string, object]>([
    ['half a won', { cancel_amount: 0.5 }],
    ['half a cent', { amount: 20, cancel_amount: 10.005, currency: 'USD' }],
    ['cancelled, with 1e-9 won cancelled', { status: 'cancelled', cancel_amount: 1e-9 }],
  ])('%s stays an error', (_name, fields) => {
    expect(() => paymentOf({ ...cardPayment, ...fields })).toThrow(IamportUnexpected);
  });

  test('a prepared amount', () => {
    expect(preparedOf({ merchant_uid: 'order-1', amount: 0.1 + 0.2, currency: 'USD' }).amount).toBe(0.3);
    expect(preparedOf({ merchant_uid: 'order-1', amount: 13_999.999999999998 }).amount).toBe(14_000);
  });
});

test.each([undefined, null, 0])('a start of %j is read as unknown', (started_at) => {
  expect(paymentOf({ ...cardPayment, started_at })).not.toHaveProperty('startedAt');
});

describe('a shape that Iamport does not document is never guessed at', () => {
  test.each<[string, object]>([
    ['an amount as text', { amount: '14000' }],
    ['no amount', { amount: undefined }],
    ['half a won', { amount: 14_000.5 }],
    ['less than nothing', { amount: -14_000 }],
    ['an amount that is not exact', { amount: 2 ** 53 }],
    ['more cancelled than was paid', { cancel_amount: 14_001 }],
    ['cancelled after it was paid, and nothing of it cancelled', { status: 'cancelled', cancel_amount: 0 }],
    ['a status of the future', { status: 'authorized' }],
    ['no word on the test channel', { sandbox: undefined }],
    ['a currency that is no text', { currency: null }],
  ])('%s', (_name, fields) => {
    expect(() => paymentOf({ ...cardPayment, ...fields })).toThrow(IamportUnexpected);
  });

  test('the error names the field and never the value', () => {
    expect(() => paymentOf({ ...cardPayment, merchant_uid: { buyer: '홍길동' } })).toThrow(/merchant_uid/);
    expect(() => paymentOf({ ...cardPayment, merchant_uid: { buyer: '홍길동' } })).not.toThrow(/홍길동/);
  });

  test('what is no envelope is refused', () => {
    for (const body of ['', '<html>', '[]', 'null', '{"message":"ok"}']) {
      expect(() => envelopeOf(body)).toThrow(IamportUnexpected);
    }
  });
});

test('a token lives as long as Iamport says by its own clock', () => {
  expect(tokenOf({ access_token: 'a', now: 1_763_860_000, expired_at: 1_763_860_300 })).toEqual({
    value: 'a',
    livesSeconds: 300,
  });
});

describe("what a PG writes in an account's fields before there is one", () => {
  const stateWith = (fields: object) => paymentOf({ ...accountPayment, ...fields }).state;

  test.each(['발급대기', '-', '0000', '0000000000', '---', '123456', '1'.repeat(21), 'N/A', '110-***-456789', ' '])(
    'is no account: %s',
    (vbank_num) => {
      expect(stateWith({ vbank_num })).toEqual({ kind: 'ready' });
    },
  );

  test.each(['562-119-12345678', '1234567', 'X6505636518308', '0260 4102 0012 34'])('is one: %s', (vbank_num) => {
    expect(stateWith({ vbank_num })).toMatchObject({ kind: 'awaiting_deposit', account: { number: vbank_num } });
  });

  test.each(['-', '발급대기', '00', 'null'])('is neither a bank nor a holder: %s', (text) => {
    const state = stateWith({ vbank_name: text, vbank_holder: text });
    expect(state).toMatchObject({ kind: 'awaiting_deposit' });
    expect(Object.keys((state as { account: object }).account).sort()).toEqual([
      'dueAt',
      'impUid',
      'issuedAt',
      'number',
    ]);
  });
});

test("a PG's words lose account numbers and names where they are read", () => {
  const failed = {
    status: 'failed',
    paid_at: 0,
    failed_at: 5,
    fail_reason: '계좌 110-123-456789 예금주: 홍길동 불일치',
  };
  expect(stateOf(failed)).toEqual({ kind: 'failed', failedAt: 5, reason: '계좌 *** 예금주: *** 불일치' });
  expect(envelopeOf('{"code":1,"message":"계좌 110-123-456789 오류"}').message).toBe('계좌 *** 오류');
});
