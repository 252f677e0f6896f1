/** The access token that all instances share, in the table `state`. */

import { defined } from '../../shared/defined.ts';
import type { SharedToken, StoredToken, Token } from '../iamport/tokens.ts';
import { count, ItemReader, text } from './attributes.ts';
import type { Item, Table } from './table.ts';

export const tokenKey = { id: { S: 'iamport-token' } } satisfies Item;
/** A claim expires after this time, since its instance has died. Then another instance may fetch the token. */
const claimMs = 3_000;

/** Times are in milliseconds. The token that expires last wins, in whatever order they are written. */
export function createSharedToken(table: Table): SharedToken {
  return {
    async read() {
      const item = await table.read(tokenKey);
      if (!item) return {};
      const claimedUntil = new ItemReader(item, 'the shared token').optionalCount('claimed_until_ms');
      return defined<StoredToken>({ token: tokenFromItem(item), claimedUntil });
    },

    async claim(seen, now) {
      const result = await table.write({
        key: tokenKey,
        set: { claimed_until_ms: count(now + claimMs) },
        conditions: {
          isUnclaimed: 'attribute_not_exists(claimed_until_ms) OR claimed_until_ms < :now',
          isAsSeen: seen ? 'expires_at_ms = :seen' : 'attribute_not_exists(expires_at_ms)',
        },
        values: { ':now': count(now), ...(seen && { ':seen': count(seen.expiresAt) }) },
      });
      if (result.written) return { claimed: true };
      const current = result.current && tokenFromItem(result.current);
      return { claimed: false, ...(current && { current }) };
    },

    async write({ value, expiresAt }, refused) {
      const livesLonger = 'attribute_not_exists(expires_at_ms) OR #expires_at_ms < :expires_at_ms';
      await table.write({
        key: tokenKey,
        set: { access_token: text(value), expires_at_ms: count(expiresAt), claimed_until_ms: undefined },
        conditions: {
          isBetter: refused === undefined ? livesLonger : `${livesLonger} OR access_token = :refused`,
        },
        ...(refused !== undefined && { values: { ':refused': text(refused) } }),
      });
    },
  };
}

/** @returns undefined while the first token is being fetched */
function tokenFromItem(item: Item): Token | undefined {
  const read = new ItemReader(item, 'the shared token');
  const value = read.optionalText('access_token');
  return value === undefined ? undefined : { value, expiresAt: read.count('expires_at_ms') };
}
