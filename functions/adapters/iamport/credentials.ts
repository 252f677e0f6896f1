/** Reads the shop's keys at Iamport from Secrets Manager when a token is needed. They are cached in the instance for five minutes. */

import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import { IamportRefused, IamportUnavailable } from '../../application/faults.ts';
import type { Clock } from '../../shared/clock.ts';
import { defined } from '../../shared/defined.ts';
import { jsonIn } from '../../shared/json-text.ts';
import type { Credentials } from './http-client.ts';

const secret = z.object({
  imp_key: z.string().check(z.minLength(1)),
  imp_secret: z.string().check(z.minLength(1)),
  pg_api_key: z.optional(z.string()),
});

/** Iamport also accepts the keys of another account, so a refusal alone would not show that they were replaced. */
const maxAgeMs = 5 * 60_000;

/**
 * @param open creates the client, once
 * @param secretId the secret's ARN or name
 * @returns a function that reads the secret; with `again` it ignores the cache, since the keys may have been replaced
 */
export function createCredentials(
  open: () => SecretsManagerClient,
  secretId: string,
  clock: Pick<Clock, 'now'>,
): (again: boolean) => Promise<Credentials> {
  let client: SecretsManagerClient | undefined;
  let known: Credentials | undefined;
  let readAt = 0;
  return async (again) => {
    client ??= open();
    if (!known || again || clock.now() - readAt >= maxAgeMs) {
      known = await read(client, secretId).catch((error: unknown) => {
        // Keys that were right five minutes ago are better than no call.
        if (known && !again) return known;
        throw error;
      });
      readAt = clock.now();
    }
    return known;
  };
}

async function read(client: SecretsManagerClient, SecretId: string): Promise<Credentials> {
  const response = await client.send(new GetSecretValueCommand({ SecretId })).catch((cause: unknown) => {
    throw new IamportUnavailable('Secrets Manager returned no response, so Iamport cannot be called', {
      cause,
      notSent: true,
    });
  });
  const found = secret.safeParse(jsonIn(response.SecretString ?? ''));
  if (!found.success) {
    throw new IamportRefused(
      `Put {"imp_key": "…", "imp_secret": "…"} of the Iamport console into the secret ${SecretId}`,
      { status: 401, notSent: true },
    );
  }
  const { imp_key, imp_secret, pg_api_key } = found.data;
  return defined<Credentials>({ impKey: imp_key, impSecret: imp_secret, pgApiKey: pg_api_key });
}
