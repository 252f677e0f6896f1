/** DynamoDB, as the rest of the store uses it: items of plain values, conditional writes that hand back what was in the way. */

import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { StoreUnavailable } from './errors.ts';

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
}

/** `written: false` comes with the item that did not fulfil the conditions, if there is one. */
export type Written = { readonly written: true } | { readonly written: false; readonly item?: Item };

export interface Table {
  /** Reads what was written last, never an older copy. */
  read(key: Item): Promise<Item | undefined>;
  write(write: Write): Promise<Written>;
  /** Every item of an index under one key, page by page. */
  query(index: string, key: string, value: AttributeValue): Promise<readonly Item[]>;
}

/** @throws StoreUnavailable in every call when DynamoDB gives no answer */
export function table(client: DynamoDBClient, TableName: string): Table {
  return {
    async read(key) {
      const { Item } = await reached(client.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true })));
      return Item;
    },

    async write({ key, set, conditions, values }) {
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
            ExpressionAttributeNames: names,
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

    async query(IndexName, key, value) {
      const items: Item[] = [];
      let start: Item | undefined;
      do {
        const page = await reached(
          client.send(
            new QueryCommand({
              TableName,
              IndexName,
              KeyConditionExpression: '#key = :value',
              ExpressionAttributeNames: { '#key': key },
              ExpressionAttributeValues: { ':value': value },
              ...(start && { ExclusiveStartKey: start }),
            }),
          ),
        );
        items.push(...(page.Items ?? []));
        start = page.LastEvaluatedKey;
      } while (start);
      return items;
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

async function reached<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    throw new StoreUnavailable('DynamoDB did not answer', { cause });
  }
}
