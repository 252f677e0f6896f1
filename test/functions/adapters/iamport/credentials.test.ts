/** The keys at Iamport in the secret, which the operator replaces while functions run. */

import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { createCredentials } from '../../../../functions/adapters/iamport/credentials.ts';

const textOf = (key: string) => JSON.stringify({ imp_key: key, imp_secret: `secret of ${key}` });

function secret() {
  const state = { text: textOf('first'), isDown: false, reads: 0, now: 0 };
  const send = async () => {
    state.reads += 1;
    if (state.isDown) throw new Error('no response');
    return { SecretString: state.text };
  };
  const client = { send } as unknown as SecretsManagerClient;
  const credentials = createCredentials(() => client, 'arn', { now: () => state.now });
  return {
    state,
    keyAt: async (now: number, again = false) => Object.assign(state, { now }) && (await credentials(again)).impKey,
  };
}

test('replaced keys are read after five minutes, though Iamport still accepts the old ones', async () => {
  const { state, keyAt } = secret();
  expect(await keyAt(0)).toBe('first');
  state.text = textOf('second');
  expect([await keyAt(299_999), state.reads]).toEqual(['first', 1]);
  expect([await keyAt(300_000), state.reads]).toEqual(['second', 2]);
  state.text = textOf('third');
  expect(await keyAt(300_001, true)).toBe('third');
});

test('while the secret cannot be read, or has no keys, the known keys stay in use, but not after a refusal of them', async () => {
  const { state, keyAt } = secret();
  await keyAt(0);
  state.isDown = true;
  expect(await keyAt(300_000)).toBe('first');
  await expect(keyAt(300_000, true)).rejects.toThrow('Secrets Manager returned no response');
  state.isDown = false;
  state.text = textOf('');
  expect(await keyAt(300_000)).toBe('first');
  await expect(keyAt(300_000, true)).rejects.toThrow('Put {"imp_key": ');
});
