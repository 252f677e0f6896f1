/** The payment of this tab whose result the page does not know yet: it outlives a reload and the way over a phone's window. */

import type { World } from './browser-environment.ts';
import { textIn } from './confirm.ts';

/** `imp_uid` is known once the window has called back. */
export interface Pending {
  readonly merchant_uid: string;
  readonly imp_uid?: string;
}

const key = 'iamport-checkout';

export function pendingIn(world: Pick<World, 'storage'>) {
  /** Without storage a payment goes on as well; it is only not found again after a reload. */
  const attempt = <Value>(work: () => Value): Value | undefined => {
    try {
      return work();
    } catch {
      return undefined;
    }
  };
  return {
    keep: (pending: Pending) => attempt(() => world.storage().setItem(key, JSON.stringify(pending))),
    forget: () => attempt(() => world.storage().removeItem(key)),
    read: (): Pending | undefined => attempt(() => idsIn(JSON.parse(world.storage().getItem(key) ?? '{}'))),
  };
}

/** Older SDKs write a missing id as a text. */
export const idIn = (value: unknown): string | undefined =>
  /^(?:null|undefined|NaN)$/.test(String(value)) ? undefined : textIn(value);

/** The ids among whatever else there is; undefined when no order is named. */
export function idsIn(fields: Readonly<Record<string, unknown>>): Pending | undefined {
  const [merchantUid, impUid] = [idIn(fields.merchant_uid), idIn(fields.imp_uid)];
  return merchantUid ? { merchant_uid: merchantUid, ...(impUid && { imp_uid: impUid }) } : undefined;
}
