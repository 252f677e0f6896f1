/** The table of what the deployment itself remembers: the shared access token, and how far the ledger was read. */

import { defined } from '../edge/defined.ts';
import type { SharedToken, Token } from '../iamport/tokens.ts';
import { count, optional, Reader, text } from './attributes.ts';
import type { Item, Table } from './table.ts';

const tokenKey = { id: text('iamport-token') };
/** Asking Iamport takes a moment. Whoever needs longer has died of it, and the next one may ask. */
const claimMs = 3_000;

/** Times are in milliseconds. The token that lives longest wins, whoever writes last. */
export function sharedTokenIn(table: Table): SharedToken {
  return {
    async read() {
      const item = await table.read(tokenKey);
      return item && tokenIn(item);
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
      const there = result.item && tokenIn(result.item);
      return { claimed: false, ...(there && { now: there }) };
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
function tokenIn(item: Item): Token | undefined {
  const read = new Reader(item, 'the shared token');
  const value = read.optionalText('access_token');
  return value === undefined ? undefined : { value, expiresAt: read.count('expires_at_ms') };
}

/** How far one walk through the ledger has come. Times in Unix seconds. */
export interface Walk {
  /** Everything before this time is settled. */
  readonly doneUntil: number;
  /** The walk that is under way, when the last run had no time to end it. */
  readonly underWay?: {
    readonly from: number;
    readonly to: number;
    /** Which of the statuses, by their place in the walk. */
    readonly status: number;
    readonly page: number;
  };
  /** Payments that could not be settled though they were seen; asked for again in every run. */
  readonly openQuestions: readonly string[];
  /** Counts the writes, so that of two runs at once only one moves the checkpoint. */
  readonly revision: number;
}

/** What the runs before have left. */
export interface Progress {
  /** When this deployment began, in Unix seconds; `undefined` before the first run. @throws StoreUnexpected */
  beginning(): number | undefined;
  /** @throws StoreUnexpected when this walk cannot be read, which says nothing about the others */
  walk(name: string): Walk | undefined;
}

export interface Walks {
  /**
   * How far these walks have come, and when the deployment began, in one read. Who goes by it minutes later may walk again what another
   * run has walked meanwhile, and is told so when it writes.
   */
  read(names: readonly string[]): Promise<Progress>;
  /**
   * Takes down when this deployment began, and says it, in Unix seconds. What was paid before belongs to whatever was there before,
   * and is no business of ours. The table was made with the deployment, and may be restored later, so the time is taken down once.
   */
  begin(): Promise<number>;
  /** @returns false when another run has moved it */
  write(name: string, walk: Walk): Promise<boolean>;
}

const beginningKey = { id: text('ledger-beginning') };

export function walksIn(table: Table): Walks {
  const keyOf = (name: string): Item => ({ id: text(`ledger-${name}`) });
  return {
    async read(names) {
      const items = await table.readMany([beginningKey, ...names.map(keyOf)]);
      const itemOf = ({ id }: Item) => items.find((item) => item.id?.S === id?.S);
      return {
        beginning() {
          const known = itemOf(beginningKey);
          return known && new Reader(known, 'the beginning').count('begun_at');
        },
        walk(name) {
          const item = itemOf(keyOf(name));
          return item && walkIn(item, name);
        },
      };
    },

    async begin() {
      const begunAt = await table.madeAt();
      await table.write({
        key: beginningKey,
        set: { begun_at: count(begunAt) },
        conditions: { isNew: 'attribute_not_exists(id)' },
      });
      return begunAt;
    },

    async write(name, { doneUntil, underWay, openQuestions, revision }) {
      const { written } = await table.write({
        key: keyOf(name),
        set: {
          done_until: count(doneUntil),
          under_way: optional(
            ({ from, to, status, page }) => ({
              M: { from: count(from), to: count(to), status: count(status), page: count(page) },
            }),
            underWay,
          ),
          open_questions: { L: openQuestions.map(text) },
          revision: count(revision + 1),
        },
        conditions: { isNewOrUnchanged: 'attribute_not_exists(id) OR #revision = :read' },
        values: { ':read': count(revision) },
      });
      return written;
    },
  };
}

function walkIn(item: Item, name: string): Walk {
  const read = new Reader(item, `the ${name} walk through the ledger`);
  const underWay = read.optionalMap('under_way', (fields) => ({
    from: fields.count('from'),
    to: fields.count('to'),
    status: fields.count('status'),
    page: fields.count('page'),
  }));
  const openQuestions = item.open_questions?.L?.flatMap(({ S }) => S ?? []) ?? [];
  return defined<Walk>({
    doneUntil: read.count('done_until'),
    underWay,
    openQuestions,
    revision: read.count('revision'),
  });
}
