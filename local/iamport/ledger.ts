/**
 * The payments of the fake Iamport, changed by the buyer, the bank, the shop's console and the shop's API calls.
 * Time and randomness are injected. Independent of HTTP; `announce` is its only output.
 */

import { approvalBy, hundredths, leftOf, opened, type Payment, type PaymentRequest } from './payment.ts';
import { PreparedAmounts } from './prepared.ts';
import { Refused, unknownPayment } from './refused.ts';

/** The body of Iamport's webhook. */
export interface Notice {
  imp_uid: string;
  merchant_uid: string;
  status: Payment['status'];
  cancellation_id?: string;
}

export interface LedgerParts {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Called for every change that Iamport sends a webhook for. */
  readonly announce?: (notice: Notice) => void;
  /** True while the PG refuses every cancel. */
  readonly refusesCancels?: () => boolean;
  /** True while the PG only registers a cancel and refunds it later. */
  readonly defersCancels?: () => boolean;
  /** The reason of a cancel as the PG stores it in the history: it may cut, trim or re-encode the text. */
  readonly storedReason?: (reason: string) => string | null;
  /** Origin of the pages that show receipts. */
  readonly siteUrl?: () => string;
  /**
   * A PG may accept a cancel or a revocation now, and perform it hours later.
   * @param perform changes the payment; it does nothing when the payment no longer allows it
   * @returns true when the caller performs it later
   */
  readonly performsLater?: (impUid: string, perform: () => void) => boolean;
}

export interface CancelRequest {
  imp_uid?: string | undefined;
  merchant_uid?: string | undefined;
  /** Major units; left out or 0 for the rest. */
  amount?: number | undefined;
  /** The rest of the payment by the caller's count. */
  checksum?: number | undefined;
  reason?: string | undefined;
  refund_holder?: string | undefined;
  refund_bank?: string | undefined;
  refund_account?: string | undefined;
  refund_tel?: string | undefined;
  /** Parts of the amount, major units. */
  tax_free?: number | undefined;
  vat_amount?: number | undefined;
  extra?: { requester?: string | undefined } | undefined;
  enable_webhook?: boolean | undefined;
}

export interface Entry {
  readonly payment: Payment;
  /** Milliseconds since 1970, of the last change. */
  updatedAt: number;
  /** The position in the order of creation: orders payments that started in the same second. */
  readonly position: number;
  /** The code of the sub-merchant. Its payments are returned only to calls with this code. */
  readonly tier: string | undefined;
}

const daySeconds = 24 * 60 * 60;

export class Ledger {
  readonly #parts: LedgerParts;
  readonly #entries = new Map<string, Entry>();
  /** Every accepted call of the cancel API, oldest first. */
  readonly acceptedCancels: CancelRequest[] = [];
  #deferred: { payment: Payment; amount: number; reason: string }[] = [];
  /** The amounts registered before payment. */
  readonly prepared = new PreparedAmounts();

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /**
   * Creates the `ready` payment of a payment window.
   * @throws Refused when another amount or currency was registered for the order, or the request is invalid
   */
  open(request: PaymentRequest): Payment {
    checkRequest(request);
    this.prepared.check(request);
    return this.#added(opened(request, this.#unusedImpUid('imp_'), this.#seconds()), request.tier);
  }

  /**
   * A charge by billing key, as the shop's server requests it from Iamport: paid at once, without a window. The amount
   * is not compared with the registered one, which belongs to the window.
   */
  charge(request: PaymentRequest & { customer_uid: string }): Payment {
    checkRequest(request);
    const payment = opened({ ...request, channel: 'api' }, this.#unusedImpUid('imps_'), this.#seconds());
    const { customer_uid } = request;
    this.#added(Object.assign(payment, { customer_uid, customer_uid_usage: 'payment' }), request.tier);
    return this.pay(payment.imp_uid);
  }

  /**
   * Approves the payment: in its window, or late, after it was first reported as failed.
   * @param change an amount other than the window's (forged), another channel or method
   */
  pay(impUid: string, change: { amount?: number; sandbox?: boolean; payMethod?: string } = {}): Payment {
    const payment = this.#payable(impUid);
    payment.amount = change.amount ?? payment.amount;
    payment.sandbox = change.sandbox ?? payment.sandbox;
    payment.pay_method = change.payMethod ?? (payment.pay_method === 'vbank' ? 'card' : payment.pay_method);
    Object.assign(payment, approvalBy(payment.pay_method, this.#digits(8)), { failed_at: 0, fail_reason: null });
    this.#paid(payment);
    return payment;
  }

  /** Fails the payment. Iamport sends no webhook for a failure. */
  fail(impUid: string, reason: string): Payment {
    const payment = this.#payable(impUid);
    Object.assign(payment, { status: 'failed', failed_at: this.#seconds(), fail_reason: reason });
    return this.#markUpdated(payment);
  }

  /** @param lastsSeconds the time until the deposit deadline */
  issueAccount(
    impUid: string,
    { lastsSeconds = daySeconds, amount, sandbox }: { lastsSeconds?: number; amount?: number; sandbox?: boolean } = {},
  ): Payment {
    const payment = this.#payable(impUid);
    const now = this.#seconds();
    Object.assign(payment, {
      amount: amount ?? payment.amount,
      sandbox: sandbox ?? payment.sandbox,
      status: 'ready',
      pay_method: 'vbank',
      pg_tid: `StdpayVBNK${this.#digits(24)}`,
      vbank_code: '011',
      vbank_name: '농협은행',
      vbank_num: `790-${this.#digits(4)}-${this.#digits(6)}`,
      vbank_holder: '이니시스',
      vbank_date: now + lastsSeconds,
      vbank_issued_at: now,
    });
    this.#announce(this.#markUpdated(payment));
    return payment;
  }

  /** Pays the deposit into the virtual account. */
  deposit(impUid: string): Payment {
    const payment = this.payment(impUid);
    if (!awaitsDeposit(payment)) throw new Refused('declined', '입금을 기다리는 가상계좌가 아닙니다.');
    this.#paid(payment);
    return payment;
  }

  /**
   * The bank reverses a deposit: the payment is `ready` again. The documentation names no webhook for it, so none is
   * sent.
   */
  takeBackDeposit(impUid: string): Payment {
    const payment = this.payment(impUid);
    if (payment.status !== 'paid' || payment.pay_method !== 'vbank') {
      throw new Refused('declined', '입금된 가상계좌가 아닙니다.');
    }
    Object.assign(payment, { status: 'ready', paid_at: 0, receipt_url: null });
    return this.#markUpdated(payment);
  }

  /** `POST /payments/cancel`. @throws Refused `declined`, without a change */
  cancel(request: CancelRequest): Payment {
    const payment = this.#cancellable(request);
    const { checksum } = request;
    if (checksum !== undefined && hundredths(checksum) !== hundredths(leftOf(payment))) {
      throw new Refused('declined', '취소 가능 잔액이 checksum 값과 일치하지 않습니다.');
    }
    const amount = partOf(payment, request.amount);
    const account = [request.refund_holder, request.refund_bank, request.refund_account];
    if (payment.pay_method === 'vbank' && !account.every(Boolean)) {
      throw new Refused('declined', '가상계좌 결제를 취소하려면 환불계좌의 예금주, 은행코드, 계좌번호가 필요합니다.');
    }
    if (hundredths((request.tax_free ?? 0) + (request.vat_amount ?? 0)) > hundredths(amount)) {
      throw new Refused('declined', '면세금액과 부가세의 합이 취소 요청금액보다 많습니다.');
    }
    if (this.#parts.refusesCancels?.()) throw new Refused('declined', 'PG사에서 취소 요청을 거절하였습니다.');
    this.acceptedCancels.push(request);
    const reason = request.reason ?? '취소요청 API를 통한 취소';
    if (this.#parts.defersCancels?.()) {
      this.#deferred.push({ payment, amount, reason });
      return payment;
    }
    const perform = () => {
      if (payment.paid_at === 0 || hundredths(amount) > hundredths(leftOf(payment))) return;
      this.#cancelled(payment, amount, reason);
      if (request.enable_webhook) this.#announce(payment);
    };
    if (!this.#parts.performsLater?.(payment.imp_uid, perform)) perform();
    return payment;
  }

  /** The PG refunds the registered cancels, as on the next business day. A cancel over the rest is dropped. */
  processDeferred(): void {
    for (const { payment, amount, reason } of this.#deferred.splice(0)) {
      if (hundredths(amount) <= hundredths(leftOf(payment))) this.#cancelled(payment, amount, reason);
    }
  }

  /**
   * A cancel in the shop's console, of a deposit too: the console asks the operator for the buyer's account.
   * @param amount default: the rest
   */
  cancelInConsole(impUid: string, amount?: number): Payment {
    const payment = this.#cancellable({ imp_uid: impUid });
    this.#cancelled(payment, partOf(payment, amount), '관리자콘솔에서 취소');
    this.#announce(payment);
    return payment;
  }

  /** `DELETE /vbanks/{imp_uid}`: the account accepts no deposit any more. */
  revokeAccount(impUid: string): Payment {
    const payment = this.payment(impUid);
    if (!awaitsDeposit(payment)) throw new Refused('invalid', '입금을 기다리는 가상계좌가 아닙니다.');
    const perform = () => {
      if (!awaitsDeposit(payment)) return;
      Object.assign(payment, { status: 'cancelled', cancelled_at: this.#seconds(), cancel_reason: '가상계좌 말소' });
      this.#markUpdated(payment);
    };
    if (!this.#parts.performsLater?.(impUid, perform)) perform();
    return payment;
  }

  /** @returns the sub-merchant of a payment; undefined also for an unknown one */
  tierOf(impUid: string): string | undefined {
    return this.#entries.get(impUid)?.tier;
  }

  /** @throws Refused `unknown` */
  payment(impUid: string): Payment {
    const entry = this.#entries.get(impUid);
    if (!entry) throw unknownPayment();
    return entry.payment;
  }

  /** Every payment, in the order of creation. */
  entries(): Entry[] {
    return [...this.#entries.values()];
  }

  /** The body of a webhook. @param status may differ from the payment's: a receiver must not trust it */
  notice(impUid: string, status?: Payment['status']): Notice {
    const payment = this.payment(impUid);
    const sentStatus = status ?? payment.status;
    const cancellation = sentStatus === 'cancelled' ? payment.cancel_history.at(-1) : undefined;
    return {
      imp_uid: impUid,
      merchant_uid: payment.merchant_uid,
      status: sentStatus,
      ...(cancellation && { cancellation_id: cancellation.cancellation_id }),
    };
  }

  #added(payment: Payment, tier: string | undefined): Payment {
    const position = this.#entries.size;
    this.#entries.set(payment.imp_uid, { payment, updatedAt: this.#parts.now(), position, tier });
    return payment;
  }

  #paid(payment: Payment): void {
    const pgTid = payment.pg_tid ?? `Stdpay${payment.pay_method.toUpperCase()}${this.#digits(24)}`;
    Object.assign(payment, {
      status: 'paid',
      paid_at: this.#seconds(),
      pg_tid: pgTid,
      receipt_url: this.#receiptUrl(payment.imp_uid),
    });
    this.#announce(this.#markUpdated(payment));
  }

  /** As at the real Iamport: a partial cancel sets `status` to `cancelled` too, and `amount` does not change. */
  #cancelled(payment: Payment, amount: number, sentReason: string): void {
    const reason = this.#parts.storedReason ? this.#parts.storedReason(sentReason) : sentReason;
    const cancellationId = `cancellation-${this.#digits(12)}`;
    const cancellation = {
      cancellation_id: cancellationId,
      pg_tid: payment.pg_tid ?? '',
      amount,
      cancelled_at: this.#seconds(),
      reason,
      receipt_url: `${this.#receiptUrl(payment.imp_uid)}#${cancellationId}`,
    };
    payment.cancel_history.push(cancellation);
    payment.cancel_receipt_urls.push(cancellation.receipt_url);
    Object.assign(payment, {
      status: 'cancelled',
      cancel_amount: (hundredths(payment.cancel_amount) + hundredths(amount)) / 100,
      cancelled_at: cancellation.cancelled_at,
      cancel_reason: reason,
    });
    this.#markUpdated(payment);
  }

  #receiptUrl(impUid: string): string {
    return `${this.#parts.siteUrl?.() ?? 'https://receipt.example'}/receipt/${impUid}`;
  }

  #payable(impUid: string): Payment {
    const payment = this.payment(impUid);
    if (awaitsDeposit(payment) || !['ready', 'failed'].includes(payment.status)) {
      throw new Refused('declined', '이미 처리된 결제입니다.');
    }
    return payment;
  }

  #cancellable({ imp_uid, merchant_uid }: CancelRequest): Payment {
    const payment = imp_uid
      ? this.#entries.get(imp_uid)?.payment
      : this.entries().findLast((entry) => entry.payment.merchant_uid === merchant_uid && entry.payment.paid_at > 0)
          ?.payment;
    if (!payment) throw new Refused('declined', '취소할 결제건이 존재하지 않습니다.');
    if (payment.paid_at === 0) throw new Refused('declined', '결제완료된 건이 아니어서 취소할 수 없습니다.');
    if (leftOf(payment) <= 0) throw new Refused('declined', '이미 전액 취소된 결제입니다.');
    return payment;
  }

  #markUpdated(payment: Payment): Payment {
    const entry = this.#entries.get(payment.imp_uid);
    if (entry) entry.updatedAt = this.#parts.now();
    return payment;
  }

  #announce(payment: Payment): void {
    this.#parts.announce?.(this.notice(payment.imp_uid));
  }

  #seconds(): number {
    return Math.floor(this.#parts.now() / 1000);
  }

  #digits(count: number): string {
    let text = '';
    while (text.length < count) text += eightDigits(this.#parts.random());
    return text.slice(0, count);
  }

  #unusedImpUid(prefix: 'imp_' | 'imps_'): string {
    for (let tries = 0; tries < 10; tries += 1) {
      const impUid = `${prefix}${this.#digits(12)}`;
      if (!this.#entries.has(impUid)) return impUid;
    }
    throw new Error('The random source repeats itself: no unused imp_uid in ten tries');
  }
}

/** @throws Refused `invalid` */
function checkRequest({ merchant_uid, amount }: PaymentRequest): void {
  if (!merchant_uid || merchant_uid.length > 40) {
    throw new Refused('invalid', '주문번호(merchant_uid)는 1자 이상 40자 이하여야 합니다.');
  }
  if (!(amount > 0)) throw new Refused('invalid', '결제금액(amount)은 0보다 커야 합니다.');
}

/** True for an issued virtual account without a deposit. */
export const awaitsDeposit = (payment: Payment): boolean => payment.status === 'ready' && payment.vbank_num !== null;

/** KG Inicis revokes an account only with the shop's own key. @throws Refused `declined` for another key */
export function requirePgKey(payment: Payment, key: string | undefined, shopKey: string): void {
  if (awaitsDeposit(payment) && payment.pg_provider === 'html5_inicis' && key !== shopKey) {
    throw new Refused('declined', 'hashData가 일치하지 않습니다. pg_api_key를 확인해 주세요.');
  }
}

/** The amount of a cancel. @param amount left out or 0: the rest */
function partOf(payment: Payment, amount: number | undefined): number {
  const part = amount || leftOf(payment);
  if (!(part > 0) || hundredths(part) > hundredths(leftOf(payment))) {
    throw new Refused('declined', '취소 요청금액이 취소 가능 잔액보다 많습니다.');
  }
  return part;
}

/** @param random in [0, 1) */
const eightDigits = (random: number) =>
  Math.floor(random * 1e8)
    .toString()
    .padStart(8, '0');
