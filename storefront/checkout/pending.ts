/** The payment of this tab without a known result. It survives a reload and the navigation to a phone's window. */

import type { BrowserEnvironment } from './browser-environment.ts';
import { textIn } from './confirm.ts';

/** `imp_uid` is known once the window has called back. */
export interface Pending {
  readonly merchant_uid: string;
  readonly imp_uid?: string;
}

const key = 'iamport-checkout';

export function pendingIn(browser: Pick<BrowserEnvironment, 'storage'>) {
  /** Without storage a payment still works, but a reload loses it. */
  const attempt = <Value>(work: () => Value): Value | undefined => {
    try {
      return work();
    } catch {
      return undefined;
    }
  };
  return {
    keep: (pending: Pending) => attempt(() => browser.storage().setItem(key, JSON.stringify(pending))),
    forget: () => attempt(() => browser.storage().removeItem(key)),
    read: (): Pending | undefined => attempt(() => idsIn(JSON.parse(browser.storage().getItem(key) ?? '{}'))),
  };
}

/** Older SDKs write a missing id as a text. */
export const idIn = (value: unknown): string | undefined =>
  /^(?:null|undefined|NaN)$/.test(String(value)) ? undefined : textIn(value);

/** The ids among other fields; undefined without an order number. */
export function idsIn(fields: Readonly<Record<string, unknown>>): Pending | undefined {
  const [merchantUid, impUid] = [idIn(fields.merchant_uid), idIn(fields.imp_uid)];
  return merchantUid ? { merchant_uid: merchantUid, ...(impUid && { imp_uid: impUid }) } : undefined;
}
