/**
 * The three tables of the system. What they hold outlives the stack: they can be neither deleted nor replaced by a
 * deployment. Who may use them is not said here.
 */
import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  type TablePropsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';

const text = (name: string): Attribute => ({ name, type: AttributeType.STRING });
const number = (name: string): Attribute => ({ name, type: AttributeType.NUMBER });

/** What waits for the reconciler, by the time at which it is due; only such items are in the index. */
const due = {
  indexName: 'due',
  partitionKey: text('watch'),
  sortKey: number('due_at'),
  projectionType: ProjectionType.KEYS_ONLY,
};

/** Encrypted with the key that DynamoDB owns: the one choice that adds no call to KMS to a cold request. */
const kept = {
  billing: Billing.onDemand(),
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
} satisfies Partial<TablePropsV2>;

/** Events are read off the two versions of an item. */
const beforeAndAfter = StreamViewType.NEW_AND_OLD_IMAGES;

export class Tables extends Construct {
  /** Every order, by `merchant_uid`. */
  readonly orders: TableV2;
  /** Every payment that must be undone, by `imp_uid`. */
  readonly reversals: TableV2;
  /** The shared access token, and where the reconciler stands. */
  readonly state: TableV2;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.orders = new TableV2(this, 'Orders', {
      ...kept,
      partitionKey: text('merchant_uid'),
      globalSecondaryIndexes: [due],
      dynamoStream: beforeAndAfter,
    });
    this.reversals = new TableV2(this, 'Reversals', {
      ...kept,
      partitionKey: text('imp_uid'),
      dynamoStream: beforeAndAfter,
      globalSecondaryIndexes: [
        { indexName: 'by-order', partitionKey: text('merchant_uid'), projectionType: ProjectionType.ALL },
        due,
      ],
    });
    this.state = new TableV2(this, 'State', { ...kept, partitionKey: text('id') });
  }
}
