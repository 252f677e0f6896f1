/** A secret of the deployment that the operator can change, with a current and a previous text. */

import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Localized } from '../functions/shared/language.ts';
import { OperatorError } from './terminal.ts';

/** The secret's JSON. Both texts are valid until the previous one is retired. */
export interface SecretTexts {
  readonly current: string;
  readonly previous?: string | undefined;
}

export interface SecretStore {
  /** @throws OperatorError when the secret has another form */
  read(): Promise<SecretTexts>;
  write(texts: SecretTexts): Promise<void>;
}

/**
 * @param SecretId the secret's ARN
 * @param parse returns undefined for a text of another form
 * @param remedy what the operator must put into a secret of another form
 */
export function secretStore(
  SecretId: string,
  parse: (text: string) => SecretTexts | undefined,
  remedy: Localized,
): SecretStore {
  const client = new SecretsManagerClient({});
  return {
    async read() {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
      const found = parse(SecretString);
      if (found) return found;
      throw new OperatorError({
        ko: `시크릿 ${SecretId}의 형식이 다릅니다. ${remedy.ko}`,
        en: `The secret ${SecretId} has another form. ${remedy.en}`,
      });
    },
    async write(texts) {
      await client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(texts) }));
    },
  };
}
