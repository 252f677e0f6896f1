/** A shop's server that calls the sandbox over a real socket, at a time that the test sets. For tests only. */

import { type IamportOptions, type SandboxIamport, startIamport } from '../../../local/iamport/server.ts';

export interface Answer {
  status: number;
  code: number;
  message: string | null;
  response: unknown;
}

export interface Call {
  json?: object;
  form?: Record<string, string>;
  /** The `Authorization` header; a fresh token when left out. */
  authorization?: string;
}

export interface Caller extends SandboxIamport {
  /** Unix seconds; tests move it. */
  at: { seconds: number };
  ask(method: string, path: string, call?: Call): Promise<Answer>;
  token(): Promise<{ access_token: string; expired_at: number; now: number }>;
}

/** 2027-01-15 08:00:00 UTC, when every test begins. */
export const start = 1_800_000_000;

export async function startCaller(options: Partial<IamportOptions> = {}): Promise<Caller> {
  const at = { seconds: start };
  const iamport = await startIamport({ port: 0, clock: { now: () => at.seconds * 1000 }, ...options });
  const credentials = { imp_key: 'local', imp_secret: 'local' };
  const sent = async (method: string, path: string, headers: Record<string, string>, { json, form }: Call) => {
    const body = json ? JSON.stringify(json) : form ? new URLSearchParams(form).toString() : null;
    const type = json ? 'application/json' : 'application/x-www-form-urlencoded';
    const answer = await fetch(iamport.url + path, { method, headers: { ...headers, 'content-type': type }, body });
    return { status: answer.status, ...((await answer.json()) as Omit<Answer, 'status'>) };
  };
  const token = async () => {
    const { response } = await sent('POST', '/users/getToken', {}, { json: credentials });
    return response as Awaited<ReturnType<Caller['token']>>;
  };
  return {
    ...iamport,
    at,
    token,
    async ask(method, path, call = {}) {
      const authorization = call.authorization ?? (await token()).access_token;
      return sent(method, path, { authorization }, call);
    },
  };
}

/** A paid card payment of 14,000 won. @returns its imp_uid */
export function paid(iamport: SandboxIamport, merchantUid = 'order-1', amount = 14000): string {
  const { imp_uid } = iamport.ledger.open({ merchant_uid: merchantUid, amount });
  iamport.ledger.pay(imp_uid);
  return imp_uid;
}

/** An issued account that nobody has paid into. @returns its imp_uid */
export function awaited(iamport: SandboxIamport, merchantUid = 'order-1', amount = 14000): string {
  const { imp_uid } = iamport.ledger.open({ merchant_uid: merchantUid, amount, pay_method: 'vbank' });
  iamport.ledger.issueAccount(imp_uid);
  return imp_uid;
}
