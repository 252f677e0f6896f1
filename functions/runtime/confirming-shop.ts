/** The composition of the question to the shop. Apart from dependencies.ts, so that only `confirm` has it in its bundle. */

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type AskShop, shopFunction, shopServer } from '../adapters/confirming-shop.ts';
import { webhookSender } from '../adapters/webhooks/receiver.ts';
import { createWebhookSecrets } from '../adapters/webhooks/secrets.ts';
import { type ConfirmingShop, maxAskMs } from '../application/confirm.ts';
import { confirmMessage } from '../events/confirm-json.ts';
import { dateOf, unixSeconds } from '../shared/clock.ts';
import { systemClock } from './clock.ts';
import type { Variables } from './config.ts';
import { type ConfirmConfig, confirmConfigFrom } from './confirm-config.ts';

/** One attempt at the secret, or at the function: the buyer waits. Milliseconds. */
const upstream = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: maxAskMs, throwOnRequestTimeout: true },
};

/** Reads the signing secret during init, for 2 s at most. The first question reads it otherwise. Milliseconds. */
const warmUpMs = 2_000;

/**
 * @returns undefined when the shop is not asked
 * @throws Error that lists every invalid environment variable
 */
export async function createConfirmingShop(variables: Variables): Promise<ConfirmingShop | undefined> {
  const config = confirmConfigFrom(variables);
  if (!config) return undefined;
  const ask = await askerOf(config);
  return {
    otherwise: config.otherwise,
    ask: (question) => ask(confirmMessage(question, dateOf(unixSeconds(systemClock)).toISOString())),
  };
}

async function askerOf(config: ConfirmConfig): Promise<AskShop> {
  const client = new SecretsManagerClient(upstream);
  if (config.asks === 'function') return shopFunction(client, config.functionArn, config.lambdaUrl);
  const secrets = createWebhookSecrets(client, config.secretArn, systemClock);
  await Promise.race([secrets.read().catch(() => undefined), systemClock.sleep(warmUpMs)]);
  return shopServer(secrets, webhookSender({ ...config, timeoutMs: maxAskMs }), systemClock);
}
