/**
 * `iamport-serverless/client`, for the shop's own server: calls the order routes, and verifies signed webhooks. Uses
 * only the web's own APIs (`fetch`, Web Crypto), so it runs in Node.js, Bun, Deno and edge runtimes.
 */

export type { ConfirmRequest, ConfirmResponse } from '../functions/events/confirm-json.ts';
export {
  type ErrorCode,
  PaymentsError,
  WebhookVerificationError,
  type WebhookVerificationErrorCode,
} from './errors.ts';
export type {
  Order,
  OrderDetails,
  OrderStatus,
  OrderTerms,
  PaymentRecord,
  Refund,
  RefundAccount,
  RefundRequest,
  RefundResult,
  RegisteredOrder,
  Reversal,
  VirtualAccount,
} from './order-types.ts';
export { createPayments, type Payments } from './payments.ts';
export type { PaymentsOptions } from './send.ts';
export {
  type VerifyOptions,
  verifyConfirmation,
  verifyWebhook,
  type WebhookBody,
  type WebhookHeaders,
} from './webhook.ts';
export type { WebhookEvent, WebhookEventName } from './webhook-types.ts';
