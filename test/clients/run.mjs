/**
 * Uses four clients that others made for the real Iamport on the server whose address is given:
 *   node run.mjs <url> <imp_uid> <merchant_uid>   (of a paid payment, one per client, in the order of `clients`)
 * Prints what each of them saw as one JSON object. Asserts nothing: the test that spawns it does.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [url, ...uids] = process.argv.slice(2);
const keys = { imp_key: 'local', imp_secret: 'local' };
const partial = 4000;

/** Knows only its own default host, but every resource reads it when the client is made. */
async function iamport({ impUid, merchantUid }) {
  const Iamport = require('iamport');
  Iamport.DEFAULT_HOST = url;
  const client = new Iamport({ impKey: keys.imp_key, impSecret: keys.imp_secret });
  const read = await client.payment.getByImpUid({ imp_uid: impUid });
  const found = await client.payment.getByMerchant({ merchant_uid: merchantUid });
  const cancelled = await client.payment.cancel({ imp_uid: impUid, amount: partial, checksum: read.amount });
  return { token: client.token.access_token, read, found, cancelled };
}

async function iamporter({ impUid, merchantUid }) {
  const { Iamporter } = require('iamporter');
  const client = new Iamporter({ apiKey: keys.imp_key, secret: keys.imp_secret, host: url });
  const read = (await client.findByImpUid(impUid)).data;
  const found = (await client.findByMerchantUid(merchantUid)).data;
  const cancelled = (await client.cancel({ imp_uid: impUid, amount: partial, checksum: read.amount })).data;
  return { token: client.token, read, found, cancelled };
}

async function restClient({ impUid, merchantUid }) {
  const { Iamport, Request } = require('iamport-rest-client-nodejs');
  const client = new Iamport({ apiKey: keys.imp_key, apiSecret: keys.imp_secret, baseUrl: url });
  const answer = async (request) => (await request.request(client)).data.response;
  const read = await answer(Request.Payments.getByImpUid({ imp_uid: impUid }));
  const found = await answer(Request.Payments.getByMerchantUid({ merchant_uid: merchantUid, status: 'paid' }));
  const cancelled = await answer(Request.Payments.cancel({ imp_uid: impUid, amount: partial, checksum: read.amount }));
  return { token: (await client.getHeaders()).Authorization.replace('Bearer ', ''), read, found, cancelled };
}

/** Has no call for finding by merchant_uid. */
async function serverApi({ impUid, merchantUid }) {
  const { IamportConnector, functional } = require('iamport-server-api');
  const connector = new IamportConnector(url, keys);
  const read = (await functional.payments.at(await connector.get(), impUid, {})).response;
  const request = {
    imp_uid: impUid,
    merchant_uid: merchantUid,
    amount: partial,
    checksum: read.amount,
    reason: 'test',
  };
  const cancelled = (await functional.payments.cancel(await connector.get(), request)).response;
  return { token: await connector.getToken(), read, cancelled };
}

const clients = { iamport, iamporter, 'iamport-rest-client-nodejs': restClient, 'iamport-server-api': serverApi };

const seen = {};
for (const [name, use] of Object.entries(clients)) {
  const [impUid, merchantUid] = uids.splice(0, 2);
  seen[name] = await use({ impUid, merchantUid }).catch((error) => ({
    error: `${error.message ?? ''} ${JSON.stringify(error)}`,
  }));
}
console.log(JSON.stringify(seen, null, 1));
