/** Extracts the payment id and the order number that a request names, for the live page. Reads no other field. */

import { decoded } from './aws/routes.ts';

export interface ObservedRequest {
  readonly method: string;
  readonly path: string;
  readonly ids: { readonly order?: string; readonly payment?: string };
  /** True for a call of the order routes, which only the shop's own server may call. */
  readonly isFromShop: boolean;
}

/**
 * Called when a request arrives.
 * @returns a callback for the status of the response and its duration in milliseconds
 */
export type RequestObserver = (request: ObservedRequest) => (status: number, ms: number) => void;

/** @param body JSON or a form; from any other body no id is read */
export function observeRequest(method: string, url: string, body: string): ObservedRequest {
  // A client may send a malformed URL or body. Observing it must not throw.
  const [target = '', query = ''] = url.replace(/^https?:\/\/[^/]*/, '').split('?', 2);
  const path = decoded(target);
  const fields = { ...Object.fromEntries(new URLSearchParams(query)), ...fieldsIn(body) };
  const payment = /\b(imps?_\w+)/.exec(path)?.[1] ?? textIn(fields.imp_uid);
  const order = /^\/(?:orders|payments\/(?:prepare|find))\/([^/]+)/.exec(path)?.[1] ?? textIn(fields.merchant_uid);
  const ids = { ...(order && { order }), ...(payment && { payment }) };
  return { method, path, ids, isFromShop: path.startsWith('/orders/') };
}

const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** iamport.js sends its fields under `param`. */
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
