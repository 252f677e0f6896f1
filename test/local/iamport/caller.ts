/** A shop's server that calls the fake Iamport over a real socket, at a time that the test sets. */

import { type FakeIamport, type IamportOptions, startIamport } from '../../../local/iamport/server.ts';

export interface IamportResponse {
  status: number;
  code: number;
  message: string | null;
  response: unknown;
}

export interface CallOptions {
  json?: object;
  form?: Record<string, string>;
  /** The code of a sub-merchant, as the header `Tier`. */
  tier?: string;
  /** The `Authorization` header. Default: a new token. */
  authorization?: string;
}

export interface Caller extends FakeIamport {
  /** Unix seconds. Tests change it. */
  at: { seconds: number };
  call(method: string, path: string, options?: CallOptions): Promise<IamportResponse>;
  token(): Promise<{ access_token: string; expired_at: number; now: number }>;
}

/** 2027-01-15 08:00:00 UTC, the time at the start of every test. */
export const start = 1_800_000_000;

export async function startCaller(options: Partial<IamportOptions> = {}): Promise<Caller> {
  const at = { seconds: start };
  const iamport = await startIamport({ port: 0, clock: { now: () => at.seconds * 1000 }, ...options });
  const credentials = { imp_key: 'local', imp_secret: 'local' };
  const send = async (method: string, path: string, headers: Record<string, string>, { json, form }: CallOptions) => {
    const body = json ? JSON.stringify(json) : form ? new URLSearchParams(form).toString() : null;
    const type = json ? 'application/json' : 'application/x-www-form-urlencoded';
    const response = await fetch(iamport.url + path, { method, headers: { ...headers, 'content-type': type }, body });
    return { status: response.status, ...((await response.json()) as Omit<IamportResponse, 'status'>) };
  };
  const token = async () => {
    const { response } = await send('POST', '/users/getToken', {}, { json: credentials });
    return response as Awaited<ReturnType<Caller['token']>>;
  };
  return {
    ...iamport,
    at,
    token,
    async call(method, path, options = {}) {
      const authorization = options.authorization ?? (await token()).access_token;
      return send(method, path, { authorization, ...(options.tier && { tier: options.tier }) }, options);
    },
  };
}

/** Pays 14,000 won by card. @returns the imp_uid */
export function paid(iamport: FakeIamport, merchantUid = 'order-1', amount = 14000): string {
  const { imp_uid } = iamport.ledger.open({ merchant_uid: merchantUid, amount });
  iamport.ledger.pay(imp_uid);
  return imp_uid;
}

/** Issues a virtual account without a deposit. @returns the imp_uid */
export function awaited(iamport: FakeIamport, merchantUid = 'order-1', amount = 14000): string {
  const { imp_uid } = iamport.ledger.open({ merchant_uid: merchantUid, amount, pay_method: 'vbank' });
  iamport.ledger.issueAccount(imp_uid);
  return imp_uid;
}
