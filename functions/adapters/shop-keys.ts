/** Reads the keys of the shop's server from Secrets Manager. */

import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import { StoreUnavailable } from '../application/faults.ts';
import { jsonIn } from '../shared/json-text.ts';
import { type ShopKeySecret, type ShopKeys, shopKeysOf } from '../shared/shop-keys.ts';

/** A shorter text would be a key that can be guessed. The local system's keys are short, and only on the loopback. */
const keyText = z.string().check(z.regex(/^[0-9A-Za-z]{10,200}$/));
const secret = z.object({ current: keyText, previous: z.optional(keyText) });

/** @returns undefined when the secret's text has another form */
export const shopKeySecretIn = (text: string): ShopKeySecret | undefined => secret.safeParse(jsonIn(text)).data;

/**
 * @param open creates the client, once
 * @param secretId the secret's ARN or name
 * @returns a function that reads the keys
 * @throws StoreUnavailable when Secrets Manager returns no response, or the secret has another form
 */
export function createShopKeys(open: () => SecretsManagerClient, secretId: string): () => Promise<ShopKeys> {
  let client: SecretsManagerClient | undefined;
  return async () => {
    client ??= open();
    const response = await client.send(new GetSecretValueCommand({ SecretId: secretId })).catch((cause: unknown) => {
      throw new StoreUnavailable('Secrets Manager returned no response, so the key cannot be checked', { cause });
    });
    const found = shopKeySecretIn(response.SecretString ?? '');
    if (found) return shopKeysOf(found);
    throw new StoreUnavailable(
      `The secret ${secretId} has no keys. Put {"current": "<86 letters and digits>"} into it`,
    );
  };
}
