/** Checks of the packed package, by tools of other authors, and an app that imports every export of it. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publint } from 'publint';
import { PROJECT_ROOT } from '../../infra/context.ts';

// Vitest starts Node.js with the condition `development`, for which this package exports its TypeScript sources.
const attw = join(PROJECT_ROOT, 'node_modules/@arethetypeswrong/core/dist/index.js');
const { checkPackage, createPackageFromTarballData }: typeof import('@arethetypeswrong/core') = await import(attw);

/** The modules of the package, and names that each exports. */
export const MODULES = {
  'iamport-serverless': ['ConfigurationError', 'IamportPayments'],
  'iamport-serverless/events': ['eventNames', 'eventSource', 'notificationNames', 'readEvent'],
  'iamport-serverless/client': [
    'PaymentsError',
    'WebhookVerificationError',
    'createPayments',
    'verifyConfirmation',
    'verifyWebhook',
  ],
  'iamport-serverless/checkout': ['confirm', 'pay', 'resume'],
  'iamport-serverless/webview': ['PAYMENT_APPS', 'follow', 'moveFor', 'parseIntent'],
} as const;

/** Exports that are files and no modules, so they have no types. */
const FILES = ['./checkout.global.js', './events.schema.json', './openapi.json', './package.json'];

/** @returns the messages of publint, suggestions included */
export async function publintMessages(tarball: string): Promise<string[]> {
  const bytes = Uint8Array.from(await readFile(tarball));
  const { messages } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  return messages.map(({ code, path }) => `${code} ${path.join('.')}`);
}

/** @returns the problems of each module under each `moduleResolution`, node10 included */
export async function typeProblems(tarball: string): Promise<{ modules: string[]; problems: string[] }> {
  const packed = createPackageFromTarballData(Uint8Array.from(await readFile(tarball)));
  const analysis = await checkPackage(packed, { excludeEntrypoints: FILES });
  if (!analysis.types) throw new Error('attw found no types in the package');
  return {
    modules: Object.keys(analysis.entrypoints),
    problems: analysis.problems.map((problem) => JSON.stringify(problem)),
  };
}

/** A shop's server, page and subscriber in TypeScript, without the CDK. */
export const CONSUMER = `
import { type PayResult, pay } from 'iamport-serverless/checkout';
import { createPayments, type OrderStatus, PaymentsError, verifyWebhook } from 'iamport-serverless/client';
import { type EventName, readEvent } from 'iamport-serverless/events';
import { type Move, moveFor } from 'iamport-serverless/webview';

const payments = createPayments({ url: 'https://pay.my-shop.kr', key: 'sk_1', fetch });
export const register = async (): Promise<OrderStatus> =>
  (await payments.orders.register('order-1', { amount: 14_000 })).status;
// @ts-expect-error: a part needs an idempotencyKey.
export const refund = () => payments.refunds.create('order-1', { amount: 1, reason: 'Sold out' });
export const isThere = (error: unknown) => error instanceof PaymentsError && error.code === 'order_exists';
export async function receive(request: Request): Promise<string> {
  const event = await verifyWebhook(['whsec_a', 'whsec_b'], request.headers, await request.text());
  switch (event.type) {
    case 'Payment Paid':
      return event.data.imp_uid + event.data.amount.toFixed();
    case 'Virtual Account Issued':
      return event.data.virtual_account.number;
    case 'Escrow Changed':
      return event.data.content.escrow_status ?? '';
    default:
      // @ts-expect-error: not an event.
      if (event.type === 'Payment Made') return '';
      return event.data.id;
  }
}
export const names: EventName[] = ['Payment Paid'];
export const receipt = (event: unknown): string => readEvent('Payment Paid', event).imp_uid;
export const result = (): Promise<PayResult> =>
  pay({ merchant_uid: 'order-1', amount: 14_000, completeUrl: '', mobileRedirectUrl: '' });
export const move = (...args: Parameters<typeof moveFor>): Move => moveFor(...args);
`;

/** The options of a compiler that reads `exports`, by the kind of app. */
export const COMPILERS = {
  'ES and CommonJS modules of Node.js': {
    files: ['consumer.mts', 'consumer.cts'],
    options: { module: 'node16', moduleResolution: 'node16' },
  },
  'a bundled module': { files: ['consumer.ts'], options: { module: 'esnext', moduleResolution: 'bundler' } },
} as const;

/** Texts that a scanner of secrets looks for, and files that belong to development. */
export const SECRETS =
  /AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:sk|pk)_(?:live|test)_\w{8,}|\bgh[pousr]_\w{30,}|\bxox[abp]-\w{10,}|\bnpm_\w{36}/;
export const FOREIGN_FILES =
  /(?:^|\/)(?:bench|test|tests|local|scripts|node_modules|\.[^/]*|[^/]*\.env|[^/]*lock[^/]*\.(?:json|yaml)|yarn\.lock|[^/]*\.(?:pem|key|p12|tgz|log))(?:\/|$)|\.ts(?<!\.d\.ts)$/;
