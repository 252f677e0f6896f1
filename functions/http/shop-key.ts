/** Checks the key in the header `authorization: Bearer sk_…` of the shop's server. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { ShopKeys, ShopRight } from '../shared/shop-keys.ts';

/** Letters and digits only. API Gateway joins two `authorization` headers with a comma, which no key contains. */
const bearer = /^Bearer +(sk_(?:orders|money)_[0-9A-Za-z]{5,200})$/i;

/**
 * @param headers of the event. API Gateway sends their names in lower case
 * @returns the key of the header; undefined when it is missing or has another form. A query or a body is never read
 */
export const keyIn = ({ headers }: Pick<APIGatewayProxyEventV2, 'headers'>): string | undefined =>
  bearer.exec(headers.authorization ?? '')?.[1];

/** `insufficient`: a valid key without the right. */
export type KeyCheck = 'accepted' | 'insufficient' | 'unknown';

/** Hashes have one length, so that the comparison's duration does not depend on the key. */
const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares with every valid key, in constant time, whichever of them it is. */
export function checkKey(key: string, keys: ShopKeys, right: ShopRight): KeyCheck {
  const hash = hashOf(key);
  const isOneOf = (valid: readonly string[]): boolean =>
    valid.map((one) => timingSafeEqual(hashOf(one), hash)).includes(true);
  const [isForOrders, isForMoney] = [isOneOf(keys.orders), isOneOf(keys.money)];
  if (isForMoney || (isForOrders && right === 'orders')) return 'accepted';
  return isForOrders ? 'insufficient' : 'unknown';
}
