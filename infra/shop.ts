/**
 * A shop adds its own resources to this project's stack here: its functions, and their subscriptions to events. `npm run deploy`
 * includes them. Tests, docs and the local system do not, so nothing here changes them.
 */
import type { Stack } from 'aws-cdk-lib';
import type { IamportPayments } from './iamport-payments.ts';

/** Adds to the stack, for instance `payments.onPaid(new NodejsFunction(stack, 'Deliver', { entry: 'shop/deliver.ts' }))`. */
export function addShop(_stack: Stack, _payments: IamportPayments): void {}
