import {
  IamportBusy,
  IamportRefused,
  IamportUnavailable,
  IamportUnexpected,
  OrderBusy,
  StoreUnavailable,
} from '../application/faults.ts';

/** Every code that we answer, with its status and, for faults that pass, the seconds after which to come again. */
const problems = {
  invalid_request: { status: 400, title: 'The request is not one that we understand' },
  route_not_found: { status: 404, title: 'There is no such address' },
  sender_refused: { status: 403, title: 'This sender is not one of Iamport' },
  payment_not_found: { status: 404, title: 'Iamport knows no such payment' },
  order_not_found: { status: 404, title: 'No such order is registered' },
  order_mismatch: { status: 409, title: 'The payment belongs to another order' },
  order_exists: { status: 409, title: 'The order exists with other terms' },
  order_paid: { status: 409, title: 'The order is paid' },
  not_paid: { status: 409, title: 'Nothing of the order is paid' },
  refund_exceeds: { status: 409, title: 'The refund is more than is left' },
  refund_key_used: { status: 409, title: 'The key of the refund is in use' },
  refund_refused: { status: 409, title: 'The refund was refused' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body has a type that we do not read' },
  account_missing: { status: 422, title: "The buyer's account is missing" },
  internal_error: { status: 500, title: 'Something is wrong with this service' },
  iamport_error: { status: 502, title: 'Iamport refused our request, or answered in a form that we do not know' },
  iamport_unavailable: { status: 503, title: 'Iamport cannot be asked now', retryAfter: 5 },
  store_unavailable: { status: 503, title: 'The order cannot be read or written now', retryAfter: 2 },
  not_settled: { status: 503, title: 'The payment could not be settled now', retryAfter: 60 },
  order_busy: { status: 503, title: 'The order is being settled by several requests at once', retryAfter: 1 },
} as const satisfies Record<string, { status: number; title: string; retryAfter?: number }>;

export type ProblemCode = keyof typeof problems;

/** A problem on its way to the caller. Says what to do; holds nothing that the caller may not know. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter: number | undefined;

  /** @param retryAfter seconds, in place of the usual ones of the code */
  constructor(code: ProblemCode, detail: string, options: ErrorOptions & { readonly retryAfter?: number } = {}) {
    super(detail, options);
    const usual: { status: number; title: string; retryAfter?: number } = problems[code];
    const { status, title, retryAfter } = { ...usual, ...(options.retryAfter && { retryAfter: options.retryAfter }) };
    this.code = code;
    this.status = status;
    this.title = title;
    this.retryAfter = retryAfter;
  }

  /** Something is wrong on our side or Iamport's, and not with the request. */
  get isFault(): boolean {
    return this.status >= 500;
  }
}

/** What an error means to who asked. What it says of our insides stays in the log, as the `cause`. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const cause = { cause: error };
  if (error instanceof IamportUnavailable) {
    return new Problem(
      'iamport_unavailable',
      'Nothing is decided and nothing is lost. Ask again in a few seconds.',
      // Iamport's own wait after a 429, passed on to the caller.
      error instanceof IamportBusy ? { ...cause, retryAfter: Math.ceil(error.retryAfterMs / 1000) } : cause,
    );
  }
  if (error instanceof IamportRefused || error instanceof IamportUnexpected) {
    return new Problem(
      'iamport_error',
      'Nothing is decided. The log of this request tells the shop what to do.',
      cause,
    );
  }
  if (error instanceof StoreUnavailable) {
    return new Problem(
      'store_unavailable',
      'Nothing is decided and nothing is lost. Ask again in a few seconds.',
      cause,
    );
  }
  if (error instanceof OrderBusy) {
    return new Problem('order_busy', 'Ask again in a second.', cause);
  }
  return new Problem(
    'internal_error',
    'Nothing is decided. The log of this request tells the shop what happened.',
    cause,
  );
}

const refusals = {
  payment_not_found: 'Send the imp_uid as the payment window gave it.',
  order_not_found: 'Register the order with PUT /orders/{merchant_uid} before its payment window opens.',
  order_mismatch: 'Send the merchant_uid of the order that this imp_uid pays.',
} as const satisfies Partial<Record<ProblemCode, string>>;

/**
 * The answer to a question that has no order or no payment.
 * @param isOrderNamed false: the caller sent no merchant_uid, without which a sub-merchant's payment cannot be found
 */
export const refusal = (code: keyof typeof refusals, isOrderNamed = true): Problem =>
  new Problem(
    code,
    code === 'payment_not_found' && !isOrderNamed ? `${refusals[code]} ${withoutOrder}` : refusals[code],
  );

const withoutOrder = 'Send merchant_uid too: the payment of an order with a tier is found only with it.';
