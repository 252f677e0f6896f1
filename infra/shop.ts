/**
 * The place for what is a shop's own in the stack of this project: its functions, and which events they are told. It is deployed
 * with the rest; tests, papers and the local system leave it out, so they stay as they are whatever is here.
 */
import type { Stack } from 'aws-cdk-lib';
import type { IamportPayments } from './iamport-payments.ts';

/** Adds to the stack, for instance `payments.onPaid(new NodejsFunction(stack, 'Deliver', { entry: 'shop/deliver.ts' }))`. */
export function addShop(_stack: Stack, _payments: IamportPayments): void {}
