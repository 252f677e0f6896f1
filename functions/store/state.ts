/** The table of what the deployment itself remembers: the access token that its instances share. */

import type { SharedToken } from '../iamport/tokens.ts';
import { count, Reader, text } from './attributes.ts';
import type { Table } from './table.ts';

const key = { id: text('iamport-token') };

/** Times are in milliseconds. The token that lives longest wins, whoever writes last. */
export function sharedTokenIn(table: Table): SharedToken {
  return {
    async read() {
      const item = await table.read(key);
      if (!item) return undefined;
      const read = new Reader(item, 'the shared token');
      return { value: read.text('access_token'), expiresAt: read.count('expires_at_ms') };
    },

    async write({ value, expiresAt }) {
      await table.write({
        key,
        set: { access_token: text(value), expires_at_ms: count(expiresAt) },
        conditions: { livesLonger: 'attribute_not_exists(id) OR #expires_at_ms < :expires_at_ms' },
      });
    },
  };
}
