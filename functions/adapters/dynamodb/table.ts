/** Calls DynamoDB: reads, queries, and conditional writes that return the stored item when a condition fails. */

import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { OrderBusy, StoreRefused, StoreThrottled, StoreUnavailable } from '../../application/faults.ts';

/** Numbers are strings in it, since DynamoDB stores decimals exactly and JavaScript does not. */
export type Item = Record<string, AttributeValue>;

export interface Write {
  readonly key: Item;
  /** Attributes to set; `undefined` removes the attribute. Other attributes keep their values. */
  readonly set: Readonly<Record<string, AttributeValue | undefined>>;
  /** Expressions by the fact that they check: `{ revisionIsUnchanged: '…' }`. All of them must be true. */
  readonly conditions: Readonly<Record<string, string>>;
  /** Values in the conditions, by their `:name`. */
  readonly values?: Item;
  /** Attributes in the conditions that are not in `set`, by their `#name`. */
  readonly names?: Readonly<Record<string, string>>;
}

/** The conditions of a write, with the attribute names and values that they refer to. */
export type Guard = Pick<Write, 'conditions' | 'values' | 'names'>;

/** `written: false`: a condition failed. `current` is then the stored item; absent when none is stored. */
export type ItemWriteResult = { readonly written: true } | { readonly written: false; readonly current?: Item };

export interface Table {
  /** Reads with strong consistency. */
  read(key: Item): Promise<Item | undefined>;
  write(write: Write): Promise<ItemWriteResult>;
  /**
   * Reads many items with strong consistency, in any order. Missing items are left out.
   * @param attributes the attributes to read; all of them by default
   */
  readMany(keys: readonly Item[], attributes?: readonly string[]): Promise<readonly Item[]>;
  /** Every item of one order, from the index `by-order`. */
  byOrder(merchantUid: string): Promise<readonly Item[]>;
  /** When the table was created. Unix seconds. */
  madeAt(): Promise<number>;
  /**
   * The keys in the index `due` whose check is due, the longest overdue first in each shard.
   * @param limit of each shard
   */
  due(shards: readonly string[], now: number, limit: number): Promise<readonly Item[]>;
  /** Moves the next check of an item if it is still planned for `from`. The other attributes do not matter. */
  postpone(key: Item, from: number, to: number): Promise<ItemWriteResult>;
}

/** DynamoDB's limit of a batch. */
const maxKeysPerBatch = 100;
/** Calls in a row that return no item. */
const maxTries = 10;

/**
 * @param prefix of the index `due` and its attributes, in a shop's own table
 * @throws StoreUnavailable in every call when DynamoDB returns no response; StoreThrottled when it has no capacity for
 * the item or the index; StoreRefused when it refuses the item; OrderBusy in a write of an item that a transaction of the shop is writing
 */
export function table(client: DynamoDBClient, TableName: string, prefix = ''): Table {
  const query = async (
    input: Omit<QueryCommandInput, 'TableName'>,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<Item[]> => {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const Limit = Number.isFinite(limit) ? { Limit: limit - items.length } : {};
      const from = start && { ExclusiveStartKey: start };
      const page = await withStoreFaults(client.send(new QueryCommand({ TableName, ...input, ...Limit, ...from })));
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start && items.length < limit);
    return items;
  };

  return {
    async read(key) {
      const { Item } = await withStoreFaults(
        client.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true })),
      );
      return Item;
    },

    async write({ key, set, conditions, values, names: conditionNames }) {
      const { UpdateExpression, names, changed } = updateOf(set);
      try {
        await client.send(
          new UpdateItemCommand({
            TableName,
            Key: key,
            UpdateExpression,
            ConditionExpression: Object.values(conditions)
              .map((condition) => `(${condition})`)
              .join(' AND '),
            ExpressionAttributeNames: { ...names, ...conditionNames },
            ...valuesOf({ ...changed, ...values }),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return { written: true };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) return await withStoreFaults(Promise.reject(error));
        // DynamoDB omits the item when none is stored. dynalite always omits it.
        const current = error.Item ?? (await this.read(key));
        return { written: false, ...(current && { current }) };
      }
    },

    async readMany(keys, attributes) {
      const items: Item[] = [];
      const projection = attributes && projectionOf(attributes);
      for (let from = 0; from < keys.length; from += maxKeysPerBatch) {
        let rest: Record<string, { Keys: Item[]; ConsistentRead: boolean }> | undefined = {
          [TableName]: { Keys: keys.slice(from, from + maxKeysPerBatch), ConsistentRead: true, ...projection },
        };
        // A response has at most 16 MB, so a batch of large items takes several calls.
        for (let tries = 0; rest && Object.keys(rest).length > 0; tries += 1) {
          if (tries === maxTries) throw new StoreThrottled('DynamoDB has no capacity for the rest of a batch');
          const { Responses, UnprocessedKeys } = await withStoreFaults(
            client.send(new BatchGetItemCommand({ RequestItems: rest })),
          );
          const found = Responses?.[TableName] ?? [];
          if (found.length > 0) tries = 0;
          items.push(...found);
          rest = UnprocessedKeys as typeof rest;
        }
      }
      return items;
    },

    async madeAt() {
      const { Table } = await withStoreFaults(client.send(new DescribeTableCommand({ TableName })));
      if (!Table?.CreationDateTime) throw new StoreUnavailable('DynamoDB returned no creation time of the table');
      return Math.floor(Table.CreationDateTime.getTime() / 1000);
    },

    byOrder: (merchantUid) =>
      query({
        IndexName: 'by-order',
        KeyConditionExpression: 'merchant_uid = :merchant_uid',
        ExpressionAttributeValues: { ':merchant_uid': { S: merchantUid } },
      }),

    async due(shards, now, limit) {
      const found = shards.map((shard) =>
        query(
          {
            IndexName: `${prefix}due`,
            KeyConditionExpression: `${prefix}due_shard = :shard AND ${prefix}due_at <= :now`,
            ExpressionAttributeValues: { ':shard': { S: shard }, ':now': { N: String(now) } },
          },
          limit,
        ),
      );
      return (await Promise.all(found)).flat();
    },

    postpone(key, from, to) {
      const dueAt = `${prefix}due_at`;
      return this.write({
        key,
        set: { [dueAt]: { N: String(to) } },
        conditions: { checkIsUnchanged: `#${dueAt} = :from` },
        values: { ':from': { N: String(from) } },
      });
    },
  };
}

/** Every attribute gets a placeholder, since some names (`status`, `name`) are reserved words of DynamoDB. */
function updateOf(set: Write['set']) {
  const names: Record<string, string> = {};
  const changed: Item = {};
  const sets: string[] = [];
  const removes: string[] = [];
  for (const [attribute, value] of Object.entries(set)) {
    names[`#${attribute}`] = attribute;
    if (value === undefined) removes.push(`#${attribute}`);
    else {
      changed[`:${attribute}`] = value;
      sets.push(`#${attribute} = :${attribute}`);
    }
  }
  const clauses = [sets.length > 0 && `SET ${sets.join(', ')}`, removes.length > 0 && `REMOVE ${removes.join(', ')}`];
  return { UpdateExpression: clauses.filter(Boolean).join(' '), names, changed };
}

const valuesOf = (values: Item) => (Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {});

/** Errors that concern only the item of the call. A repeated call would fail the same way. */
const refusals = new Set(['ValidationException', 'ItemCollectionSizeLimitExceededException']);

/** Errors of a key, an index or a table without capacity. `RequestLimitExceeded` is of the whole account: an outage. */
const throttles = new Set(['ProvisionedThroughputExceededException', 'ThrottlingException']);

function projectionOf(attributes: readonly string[]) {
  const names = Object.fromEntries(attributes.map((attribute, index) => [`#p${index}`, attribute]));
  return { ProjectionExpression: Object.keys(names).join(', '), ExpressionAttributeNames: names };
}

/** Converts the errors of the SDK into faults of the application. */
export async function withStoreFaults<Output>(call: Promise<Output>): Promise<Output> {
  try {
    return await call;
  } catch (cause) {
    if (cause instanceof Error && refusals.has(cause.name)) {
      throw new StoreRefused(`DynamoDB refused the item: ${cause.message}`, { cause });
    }
    // Only in a shop's own table: we write no transactions.
    if (cause instanceof Error && cause.name === 'TransactionConflictException') {
      throw new OrderBusy('Another transaction is writing the item', { cause });
    }
    if (cause instanceof Error && throttles.has(cause.name)) {
      throw new StoreThrottled(`DynamoDB throttled the call: ${cause.message}`, { cause });
    }
    throw new StoreUnavailable('DynamoDB returned no response', { cause });
  }
}
