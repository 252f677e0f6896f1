/**
 * A shop's own table of orders, as an app passes it to the construct, and the checks that are possible at synthesis.
 * functions/adapters/dynamodb/table-mapping.ts maps orders to its items.
 */
import { CfnGlobalTable, CfnTable, type ITable, StreamViewType } from 'aws-cdk-lib/aws-dynamodb';
import * as z from 'zod';
import { prefix, type ShopColumns } from '../functions/adapters/dynamodb/shop-columns.ts';
import { ConfigurationError, problemsOf } from './config.ts';

/** The prefix of the attributes and the index that we add to the table. */
export const SHOP_PREFIX = prefix;

export interface ShopOrdersTable extends ShopColumns {
  /**
   * Its partition key is a string, and it has no sort key. It has a stream of new and old images. The construct adds the index
   * `iamport_due` to a `Table` or `TableV2` of the same app. A table of another app must already have it: partition key
   * `iamport_due_shard` (string), sort key `iamport_due_at` (number), projection KEYS_ONLY.
   */
  readonly table: ITable;
}

/** The stream view type that the publisher needs to derive events. */
const BOTH_IMAGES: string = StreamViewType.NEW_AND_OLD_IMAGES;

const attribute = z
  .string()
  .regex(/^.{1,255}$/, 'must be the name of an attribute')
  .refine((name) => !name.startsWith(prefix), `must not begin with "${prefix}", as the attributes that we add do`);

const schema = z
  .strictObject({
    // imp_uid is the key of our table of reversals, and the publisher distinguishes the two tables by their key.
    key: attribute.refine((name) => name !== 'imp_uid', 'must not be "imp_uid"'),
    amount: attribute,
    currency: attribute.optional(),
  })
  .refine(({ key, amount, currency }) => new Set([key, amount, currency]).size === 3, 'must name different attributes');

/**
 * The attribute names of the table.
 * @throws ConfigurationError that names every problem
 */
export function columnsOf({ table, ...columns }: ShopOrdersTable): ShopColumns {
  const read = schema.safeParse(columns);
  const problems = read.success ? [] : problemsOf(read.error, columns, 'ordersTable');
  problems.push(...streamProblems(table));
  if (!read.success || problems.length > 0) throw new ConfigurationError(problems);
  const otherKey = keyProblem(table, read.data.key);
  if (otherKey) throw new ConfigurationError([otherKey]);
  return read.data;
}

const STREAM_RULE = 'it must have one with new and old images, since events are derived from it';

function streamProblems(table: ITable): string[] {
  const kind = streamKind(table);
  if (!table.tableStreamArn) return [`ordersTable.table has no stream: ${STREAM_RULE}`];
  return kind && kind !== BOTH_IMAGES ? [`ordersTable.table has a stream of ${kind}: ${STREAM_RULE}`] : [];
}

/** The stream view type of a table of the same app; undefined for an imported table. */
function streamKind({ node }: ITable): string | undefined {
  const { defaultChild } = node;
  if (!(defaultChild instanceof CfnTable || defaultChild instanceof CfnGlobalTable)) return undefined;
  const { streamSpecification } = defaultChild;
  return streamSpecification && 'streamViewType' in streamSpecification
    ? streamSpecification.streamViewType
    : undefined;
}

function keyProblem({ node }: ITable, key: string): string | undefined {
  const { defaultChild } = node;
  if (!(defaultChild instanceof CfnTable || defaultChild instanceof CfnGlobalTable)) return undefined;
  const { keySchema } = defaultChild;
  const names = Array.isArray(keySchema)
    ? keySchema.flatMap((part) => ('attributeName' in part ? [part.attributeName] : []))
    : [];
  if (names.length === 1 && names[0] === key) return undefined;
  return `ordersTable.table is keyed by ${names.map((name) => `"${name}"`).join(' and ')}: its key must be "${key}" alone`;
}
