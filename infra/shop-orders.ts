/**
 * A shop's own table of orders, as the construct is given it: checked as far as synthesis can. functions/adapters/dynamodb/table-mapping.ts says how
 * orders lie in it.
 */
import { CfnGlobalTable, CfnTable, type ITable, StreamViewType } from 'aws-cdk-lib/aws-dynamodb';
import * as z from 'zod';
import { prefix, type ShopColumns } from '../functions/adapters/dynamodb/shop-columns.ts';
import { ConfigurationError, problemsOf } from './config.ts';

/** Before the names of what we add to the table. */
export const SHOP_PREFIX = prefix;

export interface ShopOrdersTable extends ShopColumns {
  /**
   * Its key is one text, without a sort key. It has a stream of new and old images. A `Table` or `TableV2` of the same app is given the index
   * `iamport_due`; a table from elsewhere has to have it (keys `iamport_watch`, text, and `iamport_due_at`, number; keys only).
   */
  readonly table: ITable;
}

/** What events are read off. */
const BOTH_IMAGES: string = StreamViewType.NEW_AND_OLD_IMAGES;

const attribute = z
  .string()
  .regex(/^.{1,255}$/, 'must be the name of an attribute')
  .refine((name) => !name.startsWith(prefix), `must not begin with "${prefix}", as the attributes that we add do`);

const schema = z
  .strictObject({
    // A payment's id is the key of our table of reversals, and by the key the publisher tells the two tables apart.
    key: attribute.refine((name) => name !== 'imp_uid', 'must not be "imp_uid"'),
    amount: attribute,
    currency: attribute.optional(),
  })
  .refine(({ key, amount, currency }) => new Set([key, amount, currency]).size === 3, 'must name different attributes');

/**
 * The names in the table, without the table.
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

const STREAM_RULE = 'it must have one with new and old images, since events are read off it';

function streamProblems(table: ITable): string[] {
  const kind = streamKind(table);
  if (!table.tableStreamArn) return [`ordersTable.table has no stream: ${STREAM_RULE}`];
  return kind && kind !== BOTH_IMAGES ? [`ordersTable.table has a stream of ${kind}: ${STREAM_RULE}`] : [];
}

/** What can be seen of a table of the same app; of one from elsewhere, nothing. */
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
