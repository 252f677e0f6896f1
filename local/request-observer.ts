/** A request and its answer, for whoever watches: which payment and which order it names. Reads ids and nothing else. */

import { decoded } from './aws/routes.ts';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly ids: { readonly order?: string; readonly payment?: string };
  /** By the shop's own server. */
  readonly signed: boolean;
}

/** Told when a request comes. @returns what is told when it is answered: its status, and after how many milliseconds */
export type Watch = (exchange: Exchange) => (status: number, ms: number) => void;

/** @param body JSON or a form; anything else names nothing */
export function exchangeOf(method: string, url: string, body: string, signed: boolean): Exchange {
  // Whatever a client sends may be watched, well formed or not.
  const [target = '', query = ''] = url.replace(/^https?:\/\/[^/]*/, '').split('?', 2);
  const path = decoded(target);
  const fields = { ...Object.fromEntries(new URLSearchParams(query)), ...fieldsIn(body) };
  const payment = /\b(imp_\w+)/.exec(path)?.[1] ?? textIn(fields.imp_uid);
  const order = /^\/(?:orders|payments\/(?:prepare|find))\/([^/]+)/.exec(path)?.[1] ?? textIn(fields.merchant_uid);
  return { method, path, ids: { ...(order && { order }), ...(payment && { payment }) }, signed };
}

const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Of iamport.js the parameters of the window. */
function fieldsIn(body: string): Readonly<Record<string, unknown>> {
  if (!body.startsWith('{')) return Object.fromEntries(new URLSearchParams(body));
  try {
    const fields: unknown = JSON.parse(body);
    const { param } = fields as { param?: object };
    return { ...(fields as object), ...param };
  } catch {
    return {};
  }
}
