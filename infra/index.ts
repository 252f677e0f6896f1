/** What the package `iamport-serverless` gives a CDK app. What a function of the shop imports is in events.ts. */
export { type Configuration, ConfigurationError } from './config.ts';
export { IamportPayments, type IamportPaymentsProps } from './iamport-payments.ts';
export type { Subscription } from './subscriptions.ts';
