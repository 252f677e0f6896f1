/**
 * The tables: three of our own, or two and the shop's. By default their data outlives the stack: no deployment can delete or
 * replace them. function-table.ts has the rights on them.
 */
import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  Billing,
  type ITable,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryptionV2,
  type TablePropsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { ShopColumns } from '../functions/adapters/dynamodb/shop-columns.ts';
import type { Settings } from './config.ts';
import { columnsOf, SHOP_PREFIX, type ShopOrdersTable } from './shop-orders.ts';

const text = (name: string): Attribute => ({ name, type: AttributeType.STRING });
const number = (name: string): Attribute => ({ name, type: AttributeType.NUMBER });

/**
 * The sparse index of the items that the reconciler has to process, by the time at which they are due.
 * @param prefix of the index and its attributes in a shop's own table
 */
const due = (prefix = '') => ({
  indexName: `${prefix}due`,
  partitionKey: text(`${prefix}due_shard`),
  sortKey: number(`${prefix}due_at`),
  projectionType: ProjectionType.KEYS_ONLY,
});

/** Without a key of the shop, DynamoDB encrypts with its own key. Only that adds no call to KMS to a cold request. */
const kept = ({ removal }: Settings, encryptionKey?: IKey) =>
  ({
    billing: Billing.onDemand(),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: removal === 'keep',
    removalPolicy: removal === 'keep' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(encryptionKey && { encryption: TableEncryptionV2.customerManagedKey(encryptionKey) }),
  }) satisfies Partial<TablePropsV2>;

/** The publisher derives events from both versions of an item. */
const BOTH_IMAGES = StreamViewType.NEW_AND_OLD_IMAGES;

export interface TablesProps {
  settings: Settings;
  shopOrders?: ShopOrdersTable;
  encryptionKey?: IKey;
}

export class Tables extends Construct {
  /** Every order, by `merchant_uid`, or by the key of the shop's own table. */
  readonly orders: ITable;
  /** The attribute names of the shop's own table. */
  readonly shopColumns: ShopColumns | undefined;
  /** Every payment that must be undone, by `imp_uid`. */
  readonly reversals: TableV2;
  /** The shared access token, and the checkpoints of the reconciler. */
  readonly state: TableV2;

  /** @throws ConfigurationError when orders cannot be written to the shop's own table */
  constructor(scope: Construct, id: string, { settings, shopOrders, encryptionKey }: TablesProps) {
    super(scope, id);
    const common = kept(settings, encryptionKey);
    this.orders = shopOrders
      ? withDueIndex(shopOrders)
      : new TableV2(this, 'Orders', {
          ...common,
          partitionKey: text('merchant_uid'),
          globalSecondaryIndexes: [due()],
          dynamoStream: BOTH_IMAGES,
        });
    this.shopColumns = shopOrders && columnsOf(shopOrders);
    this.reversals = new TableV2(this, 'Reversals', {
      ...common,
      partitionKey: text('imp_uid'),
      dynamoStream: BOTH_IMAGES,
      globalSecondaryIndexes: [
        { indexName: 'by-order', partitionKey: text('merchant_uid'), projectionType: ProjectionType.ALL },
        due(),
      ],
    });
    this.state = new TableV2(this, 'State', { ...common, partitionKey: text('id') });
  }

  /** The name of the index of due items in the table of orders. */
  get dueIndex(): string {
    return due(this.shopColumns && SHOP_PREFIX).indexName;
  }
}

/** Adds the index of due items to the shop's table. An imported table must already have it. */
function withDueIndex({ table }: ShopOrdersTable): ITable {
  if (table instanceof TableV2 || table instanceof Table) table.addGlobalSecondaryIndex(due(SHOP_PREFIX));
  return table;
}
