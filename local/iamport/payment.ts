/**
 * A payment as Iamport's API returns it. Source: PaymentAnnotation of PortOne's V1 API description.
 * Every field is always present: an unknown value is null, a time that has not come is 0.
 */

export type PaymentStatus = 'ready' | 'paid' | 'cancelled' | 'failed';

export interface Cancellation {
  cancellation_id: string;
  pg_tid: string;
  /** Major units. */
  amount: number;
  /** Unix seconds, as every time of a payment. */
  cancelled_at: number;
  reason: string | null;
  receipt_url: string;
}

export interface Payment {
  imp_uid: string;
  merchant_uid: string;
  pay_method: string;
  channel: 'pc' | 'mobile' | 'api';
  pg_provider: string;
  emb_pg_provider: string | null;
  pg_tid: string | null;
  pg_id: string;
  sandbox: boolean;
  escrow: boolean;
  apply_num: string | null;
  bank_code: string | null;
  bank_name: string | null;
  card_code: string | null;
  card_name: string | null;
  card_quota: number;
  card_number: string | null;
  card_type: number | null;
  vbank_code: string | null;
  vbank_name: string | null;
  vbank_num: string | null;
  vbank_holder: string | null;
  vbank_date: number;
  vbank_issued_at: number;
  name: string | null;
  /** Major units; a cancel does not change it. */
  amount: number;
  cancel_amount: number;
  currency: string;
  buyer_name: string | null;
  buyer_email: string | null;
  buyer_tel: string | null;
  buyer_addr: string | null;
  buyer_postcode: string | null;
  custom_data: string | null;
  user_agent: string | null;
  status: PaymentStatus;
  started_at: number;
  paid_at: number;
  failed_at: number;
  cancelled_at: number;
  fail_reason: string | null;
  cancel_reason: string | null;
  receipt_url: string | null;
  cancel_history: Cancellation[];
  cancel_receipt_urls: string[];
  cash_receipt_issued: boolean;
  customer_uid: string | null;
  customer_uid_usage: string | null;
}

/** The parameters of `IMP.request_pay` that the payment stores. */
export interface PaymentRequest {
  merchant_uid: string;
  /** Major units. */
  amount: number;
  currency?: string | undefined;
  /** The PG, optionally with the shop's id there: `html5_inicis.INIpayTest`. */
  pg?: string | undefined;
  pay_method?: string | undefined;
  name?: string | undefined;
  buyer_name?: string | undefined;
  buyer_email?: string | undefined;
  buyer_tel?: string | undefined;
  buyer_addr?: string | undefined;
  buyer_postcode?: string | undefined;
  custom_data?: string | undefined;
  escrow?: boolean | undefined;
  channel?: Payment['channel'] | undefined;
  user_agent?: string | undefined;
  /** The code of the sub-merchant that the buyer pays. */
  tier?: string | undefined;
  /** Made through a test channel: no money moves. */
  sandbox?: boolean | undefined;
}

/** The payment at the moment its window opens. */
export function opened(request: PaymentRequest, impUid: string, startedAt: number): Payment {
  const [pgProvider = 'html5_inicis', pgId = 'INIpayTest'] = (request.pg || 'html5_inicis').split('.');
  return {
    imp_uid: impUid,
    merchant_uid: request.merchant_uid,
    pay_method: request.pay_method ?? 'card',
    channel: request.channel ?? 'pc',
    pg_provider: pgProvider,
    emb_pg_provider: null,
    pg_tid: null,
    pg_id: pgId,
    sandbox: request.sandbox ?? false,
    escrow: request.escrow ?? false,
    apply_num: null,
    bank_code: null,
    bank_name: null,
    card_code: null,
    card_name: null,
    card_quota: 0,
    card_number: null,
    card_type: null,
    vbank_code: null,
    vbank_name: null,
    vbank_num: null,
    vbank_holder: null,
    vbank_date: 0,
    vbank_issued_at: 0,
    name: request.name ?? null,
    amount: request.amount,
    cancel_amount: 0,
    currency: request.currency ?? 'KRW',
    buyer_name: request.buyer_name ?? null,
    buyer_email: request.buyer_email ?? null,
    buyer_tel: request.buyer_tel ?? null,
    buyer_addr: request.buyer_addr ?? null,
    buyer_postcode: request.buyer_postcode ?? null,
    custom_data: request.custom_data ?? null,
    user_agent: request.user_agent ?? null,
    status: 'ready',
    started_at: startedAt,
    paid_at: 0,
    failed_at: 0,
    cancelled_at: 0,
    fail_reason: null,
    cancel_reason: null,
    receipt_url: null,
    cancel_history: [],
    cancel_receipt_urls: [],
    cash_receipt_issued: false,
    customer_uid: null,
    customer_uid_usage: null,
  };
}

/** The fields that an approval sets, by payment method. */
export function approvalBy(payMethod: string, applyNum: string): Partial<Payment> {
  if (payMethod === 'card') {
    const card = { card_code: '361', card_name: 'BC카드', card_number: '910020*********1', card_type: 0 };
    return { ...card, apply_num: applyNum };
  }
  if (payMethod === 'trans') return { bank_code: '004', bank_name: 'KB국민은행' };
  return {};
}

/** The amount not cancelled yet, in major units. Computed in hundredths, so that cents do not drift. */
export const leftOf = (payment: Payment): number =>
  (hundredths(payment.amount) - hundredths(payment.cancel_amount)) / 100;

export const hundredths = (major: number): number => Math.round(major * 100);
