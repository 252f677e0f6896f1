import { describe, expect, test } from 'vitest';
import {
  envelopeOf,
  paymentOf,
  paymentPageOf,
  preparedOf,
  tokenOf,
} from '../../../../functions/adapters/iamport/wire.ts';
import { IamportUnexpected } from '../../../../functions/application/faults.ts';
import { accountPayment, cardPayment } from './payments.ts';

const stateOf = (fields: object) => paymentOf({ ...cardPayment, ...fields }).state;

describe('the state of a payment, by its amounts and times', () => {
  test('reads a paid card payment with its whole amount, and without personal data', () => {
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
      'status cancelled after a partial cancel',
      { status: 'cancelled', cancel_amount: 4_000 },
      { kind: 'kept', kept: 10_000 },
    ],
    ['status paid after a partial cancel', { cancel_amount: 4_000 }, { kind: 'kept', kept: 10_000 }],
    ['status paid after a full cancel', { cancel_amount: 14_000 }, { kind: 'returned' }],
    [
      'cancelled in part without a time of payment, but with a history',
      { status: 'cancelled', cancel_amount: 4_000, paid_at: 0, cancel_history: [{ amount: 4_000 }] },
      { kind: 'kept', kept: 10_000 },
    ],
    [
      'cancelled in part without a time of payment and without a history',
      { status: 'cancelled', cancel_amount: 4_000, paid_at: 0 },
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

  test('reads an issued account with bank, number, holder and deadline', () => {
    expect(paymentOf(accountPayment).state).toEqual({
      kind: 'awaiting_deposit',
      account: {
        impUid: 'imp_100000000002',
        bank: '신한은행',
        number: '562-119-12345678',
        holder: '한국상점',
        depositDeadline: 1_763_999_999,
        issuedAt: 1_763_860_050,
      },
    });
  });

  test('reads an account without a holder', () => {
    expect(paymentOf({ ...accountPayment, vbank_holder: null }).state.kind).toBe('awaiting_deposit');
  });
});

describe("rounding of float noise in Iamport's amounts", () => {
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
  ])('%s throws IamportUnexpected', (_name, fields) => {
    expect(() => paymentOf({ ...cardPayment, ...fields })).toThrow(IamportUnexpected);
  });

  test('rounds a prepared amount', () => {
    expect(preparedOf({ merchant_uid: 'order-1', amount: 0.1 + 0.2, currency: 'USD' }).amount).toBe(0.3);
    expect(preparedOf({ merchant_uid: 'order-1', amount: 13_999.999999999998 }).amount).toBe(14_000);
  });
});

test.each([undefined, null, 0])('reads a start of %j as unknown', (started_at) => {
  expect(paymentOf({ ...cardPayment, started_at })).not.toHaveProperty('startedAt');
});

describe('a shape that Iamport does not document', () => {
  test.each<[string, object]>([
    ['an amount as text', { amount: '14000' }],
    ['no amount', { amount: undefined }],
    ['half a won', { amount: 14_000.5 }],
    ['a negative amount', { amount: -14_000 }],
    ['an amount that is not exact', { amount: 2 ** 53 }],
    ['more cancelled than was paid', { cancel_amount: 14_001 }],
    ['cancelled after it was paid, and nothing of it cancelled', { status: 'cancelled', cancel_amount: 0 }],
    ['an unknown status', { status: 'authorized' }],
    ['no test channel field', { sandbox: undefined }],
    ['a currency that is not a text', { currency: null }],
  ])('%s', (_name, fields) => {
    expect(() => paymentOf({ ...cardPayment, ...fields })).toThrow(IamportUnexpected);
  });

  test('throws an error with the name of the field and no value', () => {
    expect(() => paymentOf({ ...cardPayment, merchant_uid: { buyer: '홍길동' } })).toThrow(/merchant_uid/);
    expect(() => paymentOf({ ...cardPayment, merchant_uid: { buyer: '홍길동' } })).not.toThrow(/홍길동/);
  });

  test('throws IamportUnexpected for a body that is not an envelope', () => {
    for (const body of ['', '<html>', '[]', 'null', '{"message":"ok"}']) {
      expect(() => envelopeOf(body)).toThrow(IamportUnexpected);
    }
  });
});

test("reads the lifetime of a token as the difference of Iamport's own times", () => {
  expect(tokenOf({ access_token: 'a', now: 1_763_860_000, expired_at: 1_763_860_300 })).toEqual({
    value: 'a',
    livesSeconds: 300,
  });
});

describe('the fields of an account', () => {
  const stateWith = (fields: object) => paymentOf({ ...accountPayment, ...fields }).state;

  test.each(['발급대기', '-', '0000', '0000000000', '---', '123456', '1'.repeat(21), 'N/A', '110-***-456789', ' '])(
    'reads no account number from the placeholder %s',
    (vbank_num) => {
      expect(stateWith({ vbank_num })).toEqual({ kind: 'ready' });
    },
  );

  test.each(['562-119-12345678', '1234567', 'X6505636518308', '0260 4102 0012 34'])(
    'reads the account number %s',
    (vbank_num) => {
      expect(stateWith({ vbank_num })).toMatchObject({ kind: 'awaiting_deposit', account: { number: vbank_num } });
    },
  );

  test.each(['-', '발급대기', '00', 'null'])('reads neither bank nor holder from the placeholder %s', (text) => {
    const state = stateWith({ vbank_name: text, vbank_holder: text });
    expect(state).toMatchObject({ kind: 'awaiting_deposit' });
    expect(Object.keys((state as { account: object }).account).sort()).toEqual([
      'depositDeadline',
      'impUid',
      'issuedAt',
      'number',
    ]);
  });
});

test('lists an unreadable payment by its ids, as far as they are texts', () => {
  const broken = { ...cardPayment, cancel_amount: 0.5 };
  const list = [broken, { ...broken, merchant_uid: 5 }, { merchant_uid: 'order-1' }, null, cardPayment];
  const { payments, unreadable } = paymentPageOf({ total: 5, list, next: 0 }, 1);
  expect(payments).toHaveLength(1);
  const { imp_uid: impUid } = cardPayment;
  const noId = '(no imp_uid)';
  expect(unreadable).toEqual([
    { impUid, merchantUid: 'order-1' },
    { impUid },
    { impUid: noId, merchantUid: 'order-1' },
    { impUid: noId },
  ]);
});

test('masks account numbers and names in the messages of a PG', () => {
  const failed = {
    status: 'failed',
    paid_at: 0,
    failed_at: 5,
    fail_reason: '계좌 110-123-456789 예금주: 홍길동 불일치',
  };
  expect(stateOf(failed)).toEqual({ kind: 'failed', failedAt: 5, reason: '계좌 *** 예금주: *** 불일치' });
  expect(envelopeOf('{"code":1,"message":"계좌 110-123-456789 오류"}').message).toBe('계좌 *** 오류');
});
