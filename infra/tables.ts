/**
 * The tables of the system: three of its own, or two and the shop's. What they hold outlives the stack, unless the configuration
 * says otherwise: they can be neither deleted nor replaced by a deployment. Who may use them is not said here.
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
 * What waits for the reconciler, by the time at which it is due; only such items are in the index.
 * @param prefix goes before its names in a table that is not ours alone
 */
const due = (prefix = '') => ({
  indexName: `${prefix}due`,
  partitionKey: text(`${prefix}watch`),
  sortKey: number(`${prefix}due_at`),
  projectionType: ProjectionType.KEYS_ONLY,
});

/** Without a key of the shop's, DynamoDB encrypts with its own: the one choice that adds no call to KMS to a cold request. */
const kept = ({ removal }: Settings, encryptionKey?: IKey) =>
  ({
    billing: Billing.onDemand(),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: removal === 'keep',
    removalPolicy: removal === 'keep' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(encryptionKey && { encryption: TableEncryptionV2.customerManagedKey(encryptionKey) }),
  }) satisfies Partial<TablePropsV2>;

/** Events are read off the two versions of an item. */
const beforeAndAfter = StreamViewType.NEW_AND_OLD_IMAGES;

export interface TablesProps {
  settings: Settings;
  shopOrders?: ShopOrdersTable;
  encryptionKey?: IKey;
}

export class Tables extends Construct {
  /** Every order, by `merchant_uid`, or by whatever the shop calls it in its own table. */
  readonly orders: ITable;
  /** What the shop calls things in its own table. */
  readonly shopColumns: ShopColumns | undefined;
  /** Every payment that must be undone, by `imp_uid`. */
  readonly reversals: TableV2;
  /** The shared access token, and where the reconciler stands. */
  readonly state: TableV2;

  /** @throws ConfigurationError when the shop's own table is not one that orders can be kept in */
  constructor(scope: Construct, id: string, { settings, shopOrders, encryptionKey }: TablesProps) {
    super(scope, id);
    const common = kept(settings, encryptionKey);
    this.orders = shopOrders
      ? prepared(shopOrders)
      : new TableV2(this, 'Orders', {
          ...common,
          partitionKey: text('merchant_uid'),
          globalSecondaryIndexes: [due()],
          dynamoStream: beforeAndAfter,
        });
    this.shopColumns = shopOrders && columnsOf(shopOrders);
    this.reversals = new TableV2(this, 'Reversals', {
      ...common,
      partitionKey: text('imp_uid'),
      dynamoStream: beforeAndAfter,
      globalSecondaryIndexes: [
        { indexName: 'by-order', partitionKey: text('merchant_uid'), projectionType: ProjectionType.ALL },
        due(),
      ],
    });
    this.state = new TableV2(this, 'State', { ...common, partitionKey: text('id') });
  }

  /** The name of the index of what is due, in the table of orders. */
  get dueIndex(): string {
    return due(this.shopColumns && SHOP_PREFIX).indexName;
  }
}

/** The shop's table, with the index that we need in it. A table from another stack has to have it already. */
function prepared({ table }: ShopOrdersTable): ITable {
  if (table instanceof TableV2 || table instanceof Table) table.addGlobalSecondaryIndex(due(SHOP_PREFIX));
  return table;
}
