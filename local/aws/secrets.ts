/** Secrets Manager, as far as functions and the operator's command call it: reading and writing secrets of the template. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { shopKeysOf } from '../../functions/shared/shop-keys.ts';

/** The text of the local keys of the shop's server: `sk_orders_local` and `sk_money_local`. */
export const localShopKeyText = 'locallocal';
const local = shopKeysOf({ current: localShopKeyText });
/** The key of the demo shop and of the README, which has every right. */
export const localShopKey = local.money[0] ?? '';

export interface Secrets {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** @param values the text of each secret, by its ARN. A write changes it */
export async function startSecrets(values: Map<string, string>): Promise<Secrets> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const input = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const operation = request.headers['x-amz-target'];
    const { SecretId } = input;
    const isKnown =
      values.has(SecretId) &&
      (operation === 'secretsmanager.GetSecretValue' || operation === 'secretsmanager.PutSecretValue');
    if (isKnown && operation === 'secretsmanager.PutSecretValue') values.set(SecretId, String(input.SecretString));
    const result = { ARN: SecretId, SecretString: values.get(SecretId) };
    response.writeHead(isKnown ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(isKnown ? result : { __type: 'ResourceNotFoundException' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { endpoint: `http://127.0.0.1:${port}`, close };
}
