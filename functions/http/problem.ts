/** Errors that an HTTP handler answers, as problems of RFC 9457, and the faults of upstreams as such problems. */

import {
  AcceptanceNotRecorded,
  IamportBusy,
  IamportRefused,
  IamportUnavailable,
  IamportUnexpected,
  OrderBusy,
  StoreUnavailable,
} from '../application/faults.ts';

/** Every problem code, with its HTTP status and, for temporary faults, the seconds of `retry-after`. */
const problems = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  route_not_found: { status: 404, title: 'The address does not exist' },
  unauthorised: { status: 401, title: 'The key is missing or not valid' },
  forbidden: { status: 403, title: 'The key does not allow this' },
  sender_refused: { status: 403, title: 'The sender is not Iamport' },
  payment_not_found: { status: 404, title: 'Iamport has no such payment' },
  order_not_found: { status: 404, title: 'No such order is registered' },
  order_mismatch: { status: 409, title: 'The payment belongs to another order' },
  order_exists: { status: 409, title: 'The order exists with other terms' },
  order_paid: { status: 409, title: 'The order is paid' },
  not_paid: { status: 409, title: 'Nothing of the order is paid' },
  refund_exceeds: { status: 409, title: 'The refund is more than is left' },
  refund_key_used: { status: 409, title: 'The key of the refund is in use' },
  refund_refused: { status: 409, title: 'The refund was refused' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The media type of the body is not supported' },
  account_missing: { status: 422, title: "The buyer's account is missing" },
  internal_error: { status: 500, title: 'Something is wrong with this service' },
  iamport_error: { status: 502, title: 'Iamport refused our request, or its response has an unknown form' },
  iamport_unavailable: { status: 503, title: 'Iamport is unavailable', retryAfter: 5 },
  store_unavailable: { status: 503, title: 'The order cannot be read or written now', retryAfter: 2 },
  not_settled: { status: 503, title: 'The payment could not be settled now', retryAfter: 60 },
  order_busy: { status: 503, title: 'The order is being settled by several requests at once', retryAfter: 1 },
} as const satisfies Record<string, { status: number; title: string; retryAfter?: number }>;

export type ProblemCode = keyof typeof problems;

export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(problems, text);

/** An error that is sent to the caller. Its message becomes `detail`: what to do next, and nothing confidential. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  /** Seconds until the caller should retry. */
  readonly retryAfter: number | undefined;

  /** @param options `retryAfter`: seconds, instead of the default of the code */
  constructor(code: ProblemCode, detail: string, options: ErrorOptions & { readonly retryAfter?: number } = {}) {
    super(detail, options);
    const defaults: { status: number; title: string; retryAfter?: number } = problems[code];
    const { status, title, retryAfter } = {
      ...defaults,
      ...(options.retryAfter && { retryAfter: options.retryAfter }),
    };
    this.code = code;
    this.status = status;
    this.title = title;
    this.retryAfter = retryAfter;
  }

  /** The fault is ours or Iamport's, not the request's. */
  get isFault(): boolean {
    return this.status >= 500;
  }
}

/** @returns the problem that the caller sees for an error. The error itself is only logged, as the `cause`. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const cause = { cause: error };
  if (error instanceof IamportUnavailable) {
    return new Problem(
      'iamport_unavailable',
      'No decision was made and no data is lost. Retry in a few seconds.',
      // After a 429 the caller gets Iamport's own pause.
      error instanceof IamportBusy ? { ...cause, retryAfter: Math.ceil(error.retryAfterMs / 1000) } : cause,
    );
  }
  if (error instanceof IamportRefused || error instanceof IamportUnexpected) {
    return new Problem(
      'iamport_error',
      'No decision was made. The log of this request shows the shop what to do.',
      cause,
    );
  }
  if (error instanceof AcceptanceNotRecorded) {
    const detail =
      'Iamport accepted the cancel, and it could not be recorded. The payment is checked again in 5 minutes.';
    return new Problem('store_unavailable', detail, cause);
  }
  if (error instanceof StoreUnavailable) {
    return new Problem('store_unavailable', 'No decision was made and no data is lost. Retry in a few seconds.', cause);
  }
  if (error instanceof OrderBusy) {
    return new Problem('order_busy', 'Retry in a second.', cause);
  }
  return new Problem(
    'internal_error',
    'No decision was made. The log of this request shows the shop what happened.',
    cause,
  );
}

const refusals = {
  payment_not_found: 'Send the imp_uid as the payment window gave it.',
  order_not_found: 'Register the order with PUT /orders/{merchant_uid} before its payment window opens.',
  order_mismatch: 'Send the merchant_uid of the order that this imp_uid pays.',
} as const satisfies Partial<Record<ProblemCode, string>>;

/**
 * The problem of a request whose order or payment does not exist.
 * @param isOrderNamed false when the caller sent no merchant_uid: a sub-merchant's payment cannot be found without it
 */
export const refusal = (code: keyof typeof refusals, isOrderNamed = true): Problem =>
  new Problem(
    code,
    code === 'payment_not_found' && !isOrderNamed ? `${refusals[code]} ${withoutOrder}` : refusals[code],
  );

const withoutOrder = 'Send merchant_uid too: the payment of an order with a tier is found only with it.';
