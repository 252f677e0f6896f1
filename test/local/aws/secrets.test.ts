/** Secrets Manager as the functions call it, with AWS's own client. */

import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Secrets, startSecrets } from '../../../local/aws/secrets.ts';

const arn = 'arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:Keys';
let secrets: Secrets;
let client: SecretsManagerClient;
beforeAll(async () => {
  secrets = await startSecrets(new Map([[arn, '{"imp_key":"local","imp_secret":"local"}']]));
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new SecretsManagerClient({ endpoint: secrets.endpoint, region: 'ap-northeast-2', credentials });
});
afterAll(async () => {
  client.destroy();
  await secrets.close();
});

it("returns the text of the template's secret", async () => {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  expect(SecretString).toBe('{"imp_key":"local","imp_secret":"local"}');
});

it('another secret is not found', async () => {
  const call = client.send(new GetSecretValueCommand({ SecretId: `${arn}2` }));
  await expect(call).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

it('returns what was written last, and creates no secret by a write', async () => {
  await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: '{"imp_key":"new"}' }));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  expect(SecretString).toBe('{"imp_key":"new"}');
  const put = client.send(new PutSecretValueCommand({ SecretId: `${arn}2`, SecretString: '{}' }));
  await expect(put).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});
