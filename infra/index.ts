/** The exports of the package `iamport-serverless` for a CDK app. Those for a function of the shop are in events.ts. */
export { type Configuration, ConfigurationError, type ConfirmOptions, type WebhookOptions } from './config.ts';
export type { Network } from './functions.ts';
export type { OwnDomain } from './http-api.ts';
export { IamportPayments, type IamportPaymentsProps } from './iamport-payments.ts';
export type { ShopOrdersTable } from './shop-orders.ts';
export type { Subscription } from './subscriptions.ts';
export type { Webhook } from './webhooks.ts';
