/** DynamoDB, as the rest of the store uses it: items of plain values, conditional writes that hand back what was in the way. */

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
import { StoreRefused, StoreUnavailable } from '../../application/faults.ts';

/** A number is a string here, since DynamoDB keeps decimals exactly and JavaScript does not. */
export type Item = Record<string, AttributeValue>;

export interface Write {
  readonly key: Item;
  /** Attributes to set; an `undefined` removes the attribute, whatever it was. Others stay as they are. */
  readonly set: Readonly<Record<string, AttributeValue | undefined>>;
  /** The name of a condition is the fact that it holds: `{ revisionIsUnchanged: '…' }`. All of them must hold. */
  readonly conditions: Readonly<Record<string, string>>;
  /** Values that conditions speak of, by their `:name`. */
  readonly values?: Item;
  /** Attributes that conditions speak of and that are not set, by their `#name`. */
  readonly names?: Readonly<Record<string, string>>;
}

/** `written: false` comes with the item that did not fulfil the conditions, if there is one. */
export type Written = { readonly written: true } | { readonly written: false; readonly item?: Item };

export interface Table {
  /** Reads what was written last, never an older copy. */
  read(key: Item): Promise<Item | undefined>;
  write(write: Write): Promise<Written>;
  /**
   * What was written last of many items, in no order. What is not there is left out.
   * @param attributes only these; all of them when left out
   */
  readMany(keys: readonly Item[], attributes?: readonly string[]): Promise<readonly Item[]>;
  /** Every item of the index `by-order` of one order. */
  byOrder(merchantUid: string): Promise<readonly Item[]>;
  /** When the table itself was made; Unix seconds. */
  madeAt(): Promise<number>;
  /** The keys of the index `due` whose time has come, the longest overdue first in each shard. @param most in each shard */
  due(shards: readonly string[], now: number, most: number): Promise<readonly Item[]>;
  /** Moves the next check of an item, whatever else is in it, if the check is still planned for the time that was read. */
  postpone(key: Item, from: number, to: number): Promise<Written>;
}

/** DynamoDB's own limit of a batch. */
const mostKeysAtOnce = 100;
const mostTries = 10;

/**
 * @param prefix goes before the names of the index `due` and its attributes, where the table is not ours alone
 * @throws StoreUnavailable in every call when DynamoDB gives no answer; StoreRefused when it refuses the item
 */
export function table(client: DynamoDBClient, TableName: string, prefix = ''): Table {
  const query = async (
    asked: Omit<QueryCommandInput, 'TableName'>,
    most = Number.POSITIVE_INFINITY,
  ): Promise<Item[]> => {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const Limit = Number.isFinite(most) ? { Limit: most - items.length } : {};
      const from = start && { ExclusiveStartKey: start };
      const page = await reached(client.send(new QueryCommand({ TableName, ...asked, ...Limit, ...from })));
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start && items.length < most);
    return items;
  };

  return {
    async read(key) {
      const { Item } = await reached(client.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true })));
      return Item;
    },

    async write({ key, set, conditions, values, names: alsoNamed }) {
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
            ExpressionAttributeNames: { ...names, ...alsoNamed },
            ...valuesOf({ ...changed, ...values }),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return { written: true };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) return await reached(Promise.reject(error));
        // dynalite leaves the item out of the error; DynamoDB leaves it out when there is none.
        const item = error.Item ?? (await this.read(key));
        return { written: false, ...(item && { item }) };
      }
    },

    async readMany(keys, attributes) {
      const items: Item[] = [];
      const projection = attributes && projectionOf(attributes);
      for (let from = 0; from < keys.length; from += mostKeysAtOnce) {
        let rest: Record<string, { Keys: Item[]; ConsistentRead: boolean }> | undefined = {
          [TableName]: { Keys: keys.slice(from, from + mostKeysAtOnce), ConsistentRead: true, ...projection },
        };
        // An answer holds at most 16 MB, so a batch of large items takes several.
        for (let tries = 0; rest && Object.keys(rest).length > 0; tries += 1) {
          if (tries === mostTries) throw new StoreUnavailable('DynamoDB has no capacity for the rest of a batch');
          const { Responses, UnprocessedKeys } = await reached(
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
      const { Table } = await reached(client.send(new DescribeTableCommand({ TableName })));
      if (!Table?.CreationDateTime) throw new StoreUnavailable('DynamoDB does not say when its table was made');
      return Math.floor(Table.CreationDateTime.getTime() / 1000);
    },

    byOrder: (merchantUid) =>
      query({
        IndexName: 'by-order',
        KeyConditionExpression: 'merchant_uid = :merchant_uid',
        ExpressionAttributeValues: { ':merchant_uid': { S: merchantUid } },
      }),

    async due(shards, now, most) {
      const found = shards.map((shard) =>
        query(
          {
            IndexName: `${prefix}due`,
            KeyConditionExpression: `${prefix}watch = :shard AND ${prefix}due_at <= :now`,
            ExpressionAttributeValues: { ':shard': { S: shard }, ':now': { N: String(now) } },
          },
          most,
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

/** Every attribute gets a placeholder, since many good names (`status`, `name`) are reserved words. */
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

/** DynamoDB's answers that are about the one item of the call, and would be the same the next time. */
const refusals = new Set(['ValidationException', 'ItemCollectionSizeLimitExceededException']);

function projectionOf(attributes: readonly string[]) {
  const names = Object.fromEntries(attributes.map((attribute, index) => [`#p${index}`, attribute]));
  return { ProjectionExpression: Object.keys(names).join(', '), ExpressionAttributeNames: names };
}

async function reached<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof Error && refusals.has(cause.name)) {
      throw new StoreRefused(`DynamoDB refused the item: ${cause.message}`, { cause });
    }
    throw new StoreUnavailable('DynamoDB did not answer', { cause });
  }
}
