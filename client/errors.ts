/** The errors of the client. No message contains the key or a secret. */

import type { ProblemCode } from '../functions/http/problem.ts';

/**
 * A problem code of the API, or one of the client:
 * `network_error`: no response; `timeout`: no response within `timeoutMs`; `http_error`: a response without a problem
 * code, such as one of API Gateway; `invalid_response`: a success whose body is not a JSON object.
 * A newer API may return a code that this version of the client does not list.
 */
export type ErrorCode =
  | ProblemCode
  | 'network_error'
  | 'timeout'
  | 'http_error'
  | 'invalid_response'
  | (string & Record<never, never>);

interface PaymentsErrorFields {
  readonly code: ErrorCode;
  readonly status?: number | undefined;
  readonly detail: string;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** A call that did not succeed. After a time-out or a network error the API may have carried it out all the same. */
export class PaymentsError extends Error {
  override readonly name = 'PaymentsError';
  readonly code: ErrorCode;
  /** The HTTP status; undefined when no response came. */
  readonly status: number | undefined;
  /** The developer's next action. */
  readonly detail: string;
  /** The pause that the API asks for before the next attempt. */
  readonly retryAfterSeconds: number | undefined;

  /** @param call the method and the path of the request */
  constructor(call: string, { code, status, detail, retryAfterSeconds, cause }: PaymentsErrorFields) {
    super(`${call}: ${status === undefined ? '' : `${status} `}${code}: ${detail}`, { cause });
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * `header_missing`: a header of Standard Webhooks is missing; `timestamp_invalid`: not a time in Unix seconds;
 * `timestamp_too_old`, `timestamp_too_new`: outside the tolerance; `signature_mismatch`: no signature is of this body and
 * these secrets; `body_invalid`: signed, and not an event, or not a confirmation.
 */
export type WebhookVerificationErrorCode =
  | 'header_missing'
  | 'timestamp_invalid'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'signature_mismatch'
  | 'body_invalid';

/** The request is not a webhook of this API, or is an old one that was sent again. Answer it with 400. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  readonly code: WebhookVerificationErrorCode;

  constructor(code: WebhookVerificationErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
