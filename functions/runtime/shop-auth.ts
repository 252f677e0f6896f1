/**
 * Admits the shop's server by its key, before a handler reads anything. The keys are read once an instance and again
 * after five minutes, or after an unknown key, since the shop may have changed its keys meanwhile.
 */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { Problem } from '../http/problem.ts';
import { checkKey, keyIn } from '../http/shop-key.ts';
import type { Clock } from '../shared/clock.ts';
import type { ShopKeys, ShopRight } from '../shared/shop-keys.ts';

/** A retired key is accepted this long at most. */
const maxAgeMs = 5 * 60_000;
/** Unknown keys cause one read in this time, so that wrong keys cannot use up the quota of Secrets Manager. */
const minIntervalMs = 10_000;

export interface ShopAuth {
  /** Reads the keys during init. Never rejects: the first request reads them otherwise. */
  warmUp(): Promise<void>;
  /**
   * @throws Problem `unauthorised` for a missing or unknown key, `forbidden` for one without the right
   * @throws StoreUnavailable when no keys could be read
   */
  admit(event: Pick<APIGatewayProxyEventV2, 'headers'>): Promise<void>;
}

/** @param read reads the keys. @param right that the route needs */
export function shopAuth(read: () => Promise<ShopKeys>, clock: Clock, right: ShopRight): ShopAuth {
  let known: ShopKeys | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  const refresh = async (): Promise<void> => {
    readAt = clock.now();
    known = await read();
  };
  const age = () => clock.now() - readAt;

  return {
    warmUp: () => refresh().catch(() => undefined),

    async admit(event) {
      const key = keyIn(event);
      if (key === undefined) {
        throw new Problem('unauthorised', 'Send the header authorization: Bearer sk_… with a key of this deployment.');
      }
      if (known === undefined) await refresh();
      else if (age() >= maxAgeMs) {
        // While Secrets Manager does not answer, the known keys stay valid.
        await refresh().catch(() => undefined);
      }
      let result = known && checkKey(key, known, right);
      if (result === 'unknown' && age() >= minIntervalMs) {
        await refresh();
        result = known && checkKey(key, known, right);
      }
      if (result === 'accepted') return;
      if (result === 'insufficient') {
        throw new Problem(
          'forbidden',
          'This key registers and reads orders only: send the key that begins with sk_money_.',
        );
      }
      throw new Problem('unauthorised', 'The key is not one of this deployment: ops -- keys shows the valid ones.');
    },
  };
}
