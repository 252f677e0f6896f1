/**
 * Admits the shop's server, before a handler reads anything: by its key, or as a caller that API Gateway has
 * authorized. An instance reads the keys at its start, and again after five minutes or after an unknown key, since the
 * operator may have changed them.
 */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { Problem } from '../http/problem.ts';
import { checkKey, keyIn } from '../http/shop-key.ts';
import type { Clock } from '../shared/clock.ts';
import type { ShopKeys, ShopRight } from '../shared/shop-keys.ts';

/** A retired key is accepted this long, or longer while Secrets Manager returns no response. */
const maxAgeMs = 5 * 60_000;
/** The keys are read at most once in this time, so that wrong keys cannot use up the quota of Secrets Manager. */
const minIntervalMs = 10_000;

export interface ShopAuth {
  /** Reads the keys during init. Never rejects: the first request reads them otherwise. */
  warmUp(): Promise<void>;
  /**
   * @throws Problem `unauthorised` for a missing or unknown key, `forbidden` for one without the right
   * @throws StoreUnavailable when no keys could be read
   */
  admit(event: Pick<APIGatewayProxyEventV2, 'headers' | 'requestContext'>): Promise<void>;
}

/**
 * Admits only a caller that API Gateway has authorized. An update of the stack may change the function before its
 * route, and the route is then open.
 */
export const iamAuth: ShopAuth = {
  warmUp: async () => undefined,
  async admit({ requestContext }) {
    const { authorizer } = requestContext as { authorizer?: { iam?: object } };
    if (!authorizer?.iam) throw new Problem('unauthorised', 'Sign the call with AWS Signature Version 4.');
  },
};

/** @param read reads the keys. @param right that the route needs */
export function shopAuth(read: () => Promise<ShopKeys>, clock: Clock, right: ShopRight): ShopAuth {
  let known: ShopKeys | undefined;
  /** When the keys were read, and when a read last began; milliseconds since 1970. */
  let readAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  /** The error of the last read, if it failed. */
  let failure: unknown;

  const refresh = async (): Promise<void> => {
    triedAt = clock.now();
    try {
      known = await read();
      readAt = triedAt;
      failure = undefined;
    } catch (error) {
      // The known keys stay valid while Secrets Manager returns no response.
      failure = error;
    }
  };
  const isOld = () => clock.now() - readAt >= maxAgeMs;
  const mayRefresh = () => clock.now() - triedAt >= minIntervalMs;

  return {
    warmUp: refresh,

    async admit(event) {
      const key = keyIn(event);
      if (key === undefined) {
        throw new Problem('unauthorised', 'Send the header authorization: Bearer sk_… with a key of this deployment.');
      }
      if (known === undefined || (isOld() && mayRefresh())) await refresh();
      if (known === undefined) throw failure;
      let result = checkKey(key, known, right);
      if (result === 'unknown' && mayRefresh()) {
        await refresh();
        result = checkKey(key, known, right);
      }
      if (result === 'accepted') return;
      if (result === 'insufficient') {
        throw new Problem(
          'forbidden',
          'This key registers and reads orders only: send the key that begins with sk_money_.',
        );
      }
      // The key may be a new one, which could not be read.
      if (failure !== undefined) throw failure;
      throw new Problem('unauthorised', 'The key is not one of this deployment: ops -- keys shows the valid ones.');
    },
  };
}
