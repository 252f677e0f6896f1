/** Reads the signing secrets of a webhook from Secrets Manager: one, or two while the secret is changed. */

import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import { StoreUnavailable } from '../../application/faults.ts';
import type { Clock } from '../../shared/clock.ts';
import { jsonIn } from '../../shared/json-text.ts';
import { keyIn } from './signature.ts';

/** `{"current": "whsec_…", "previous": ""}`. The stack generates `current` without the prefix. */
const keyText = z.string().check(z.refine((text) => keyIn(text) !== undefined));
const stored = z.object({
  current: keyText,
  previous: z._default(z.union([z.literal(''), keyText]), ''),
});

export interface WebhookSecret {
  readonly current: string;
  /** The secret before it, while it still signs. */
  readonly previous?: string;
}

/** @returns undefined when the secret's text has another form, or one of its secrets is no key */
export function webhookSecretIn(text: string): WebhookSecret | undefined {
  const { data } = stored.safeParse(jsonIn(text));
  return data && { current: data.current, ...(data.previous && { previous: data.previous }) };
}

/** A change of the secret is used after this time at the latest. */
const maxAgeMs = 5 * 60_000;
/** A receiver that refuses every webhook causes no more reads than this. */
const minAgeMs = 10_000;

export interface WebhookSecrets {
  /** @throws StoreUnavailable when Secrets Manager returns no usable secret, and none was read before */
  read(): Promise<readonly string[]>;
  /** The receiver has refused a signature: the secret may have been changed. The next `read` asks again. */
  doubt(): void;
}

/** @param secretId the secret's ARN or name */
export function createWebhookSecrets(client: SecretsManagerClient, secretId: string, clock: Clock): WebhookSecrets {
  let known: { readonly secrets: readonly string[]; readonly at: number } | undefined;
  let isDoubted = false;
  return {
    async read() {
      const age = known ? clock.now() - known.at : Number.POSITIVE_INFINITY;
      if (known && age < (isDoubted ? minAgeMs : maxAgeMs)) return known.secrets;
      try {
        known = { secrets: await fetchSecrets(client, secretId), at: clock.now() };
        isDoubted = false;
      } catch (error) {
        // Secrets that were right five minutes ago are better than no delivery.
        if (!known) throw error;
      }
      return known.secrets;
    },
    doubt() {
      isDoubted = true;
    },
  };
}

async function fetchSecrets(client: SecretsManagerClient, SecretId: string): Promise<readonly string[]> {
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId })).catch((cause: unknown) => {
    throw new StoreUnavailable('Secrets Manager returned no response, so the webhook cannot be signed', { cause });
  });
  const found = webhookSecretIn(SecretString);
  if (!found) throw new StoreUnavailable(`Put {"current": "whsec_…", "previous": ""} into the secret ${SecretId}`);
  return found.previous === undefined ? [found.current] : [found.current, found.previous];
}
