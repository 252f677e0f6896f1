/**
 * One Lambda function a door and a worker, each with a role of its own that may do what doors.ts lists and write its own
 * log, and nothing else.
 */
import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Alias,
  Architecture,
  CfnFunction,
  Code,
  type IFunction,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environmentOf, type Settings } from './config.ts';
import {
  type DoorName,
  doorEntries,
  type Facts,
  type FunctionName,
  type Resource,
  type WorkerName,
  workerEntries,
} from './function-table.ts';
import type { Tables } from './tables.ts';

/** With the heavy work done in init, which Lambda runs at full speed, seven times the CPU saves less than a third of a cold start: docs/performance.md. */
const DOOR_MEMORY_MB = 256;
/** Above the 10 s that a request may work, below the 30 s at which the API gives up. */
const DOOR_TIMEOUT_SECONDS = 12;
/** The doors that a buyer waits at. */
const AWAITED: readonly DoorName[] = ['complete', 'mobile-redirect'];
/** What DynamoDB and the queue do with a key of the shop's, in the name of the function that calls them. */
const KEY_RIGHTS = ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'];

/** Traces belong to no resource. */
const TRACE_RIGHTS = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
/** Without them Lambda does not make a function in a network. AWS's own policy of them would open every log as well. */
const NETWORK_RIGHTS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

export interface FunctionsProps {
  settings: Settings;
  tables: Tables;
  secret: ISecret;
  bus: IEventBus;
  /** What the metrics of this deployment are told from others by. */
  deployment: string;
  /** Where changes go that could not be published. */
  unpublished: Queue;
  /** A directory with `<name>/index.mjs` for every function. */
  bundles: string;
  /** What tables, secret and queue are encrypted with, if the shop gave one. */
  encryptionKey?: IKey;
  /** Where the functions run, if not in Lambda's own network. */
  network?: Network;
}

/** A network of the shop's, with a way to the internet, where Iamport is. */
export interface Network {
  readonly vpc: IVpc;
  /** By default the private subnets with a way out. */
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups?: ISecurityGroup[];
}

interface Size {
  timeoutSeconds: number;
  memoryMb: number;
}

export class Functions extends Construct {
  readonly byName: Readonly<Record<FunctionName, LambdaFunction>>;
  readonly #provisionedConcurrency: number;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    const size = { timeoutSeconds: DOOR_TIMEOUT_SECONDS, memoryMb: DOOR_MEMORY_MB };
    this.byName = Object.fromEntries([
      ...doorEntries.map(([name, door]) => [name, this.make(name, door, size, environmentFor(door, props), props)]),
      ...workerEntries.map(([name, worker]) => [
        name,
        this.make(name, worker, worker, workerEnvironment(name, worker, props), props),
      ]),
    ]);
    this.#provisionedConcurrency = props.settings.provisionedConcurrency;
  }

  /** What a route of the door calls: the function, or the alias that keeps instances of it started. */
  behind(name: DoorName): IFunction {
    const lambda = this.byName[name];
    if (this.#provisionedConcurrency === 0 || !AWAITED.includes(name)) return lambda;
    return new Alias(lambda, 'Started', {
      aliasName: 'started',
      version: lambda.currentVersion,
      provisionedConcurrentExecutions: this.#provisionedConcurrency,
    });
  }

  private make(
    name: FunctionName,
    facts: Facts,
    { timeoutSeconds, memoryMb }: Size,
    environment: Record<string, string>,
    props: FunctionsProps,
  ): LambdaFunction {
    const scope = new Construct(this, pascalCase(name));
    const logGroup = new LogGroup(scope, 'Log', logProps(props.settings));
    const lambda = new LambdaFunction(scope, 'Function', {
      description: facts.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: memoryMb,
      timeout: Duration.seconds(timeoutSeconds),
      handler: 'index.handler',
      code: Code.fromAsset(join(props.bundles, name)),
      role: roleFor(scope, facts, logGroup, props),
      loggingFormat: LoggingFormat.JSON,
      logGroup,
      environment,
      ...props.network,
    });
    // Not by the property of the function, which would put the rights into a policy outside the role.
    const { defaultChild } = lambda.node;
    if (defaultChild instanceof CfnFunction) defaultChild.tracingConfig = { mode: 'Active' };
    return lambda;
  }
}

/** How long logs are kept, and what becomes of them when the stack goes. */
export function logProps({ logRetentionDays, removal }: Settings): LogGroupProps {
  const removalPolicy = removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
  return { retention: logRetentionDays, removalPolicy };
}

function roleFor(scope: Construct, facts: Facts, logGroup: LogGroup, props: FunctionsProps): Role {
  const { tables, secret, bus, unpublished, encryptionKey, network } = props;
  const arns: Record<Resource, string> = {
    orders: tables.orders.tableArn,
    'orders/due': `${tables.orders.tableArn}/index/${tables.dueIndex}`,
    'orders/stream': `${tables.orders.tableArn}/stream/*`,
    reversals: tables.reversals.tableArn,
    'reversals/by-order': `${tables.reversals.tableArn}/index/by-order`,
    'reversals/due': `${tables.reversals.tableArn}/index/due`,
    'reversals/stream': `${tables.reversals.tableArn}/stream/*`,
    state: tables.state.tableArn,
    secret: secret.secretArn,
    bus: bus.eventBusArn,
    unpublished: unpublished.queueArn,
  };
  const all = { ...facts.rights, ...(tables.shopColumns && facts.rightsInShopTable) };
  const rights = Object.entries(all) as [Resource, readonly string[]][];
  const keys = [encryptionKey, tables.orders.encryptionKey].filter((key) => key !== undefined);
  const statements = [
    ...rights.map(([resource, actions]) => new PolicyStatement({ actions: [...actions], resources: [arns[resource]] })),
    new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
    new PolicyStatement({ actions: TRACE_RIGHTS, resources: ['*'] }),
    ...(network ? [new PolicyStatement({ actions: NETWORK_RIGHTS, resources: ['*'] })] : []),
    ...[...new Set(keys.map(({ keyArn }) => keyArn))].map(
      (keyArn) => new PolicyStatement({ actions: KEY_RIGHTS, resources: [keyArn] }),
    ),
  ];
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { door: new PolicyDocument({ statements }) },
  });
  acknowledgeWildcards(role, facts, props, keys.length > 0);
  return role;
}

/** Wildcards that cannot be narrower, for who runs cdk-nag over the app. */
function acknowledgeWildcards(role: Role, facts: Facts, { tables, network }: FunctionsProps, withKey: boolean): void {
  const acknowledge = (id: string, reason: string) =>
    Validations.of(role).acknowledge({ id: `AwsSolutions::AwsSolutions-${id}`, reason });
  const traces = 'Only the two actions that send traces to X-Ray, which know no resource to be given on.';
  const interfaces =
    'Only what sends traces to X-Ray, and makes and removes network interfaces, which have no names before they are made.';
  acknowledge('IAM5[Resource::*]', network ? interfaces : traces);
  for (const name of ['orders', 'reversals'] as const) {
    const arn: unknown = Stack.of(role).resolve(tables[name].tableArn);
    if (!facts.rights[`${name}/stream`]) continue;
    const table = typeof arn === 'string' ? arn : `<${Object(arn)['Fn::GetAtt']?.join('.')}>`;
    const streams =
      'Any stream of this one table: it gets its name when it is made, and another when it is made again.';
    acknowledge(`IAM5[Resource::${table}/stream/*]`, streams);
  }
  for (const action of withKey ? KEY_RIGHTS.filter((right) => right.endsWith('*')) : []) {
    const variants = 'Both variants of one action, on this one key: what DynamoDB asks of who uses an encrypted table.';
    acknowledge(`IAM5[Action::${action}]`, variants);
  }
}

function environmentFor(
  facts: Facts,
  { settings, tables, secret, deployment }: FunctionsProps,
): Record<string, string> {
  const environment = environmentOf(settings);
  return {
    DEPLOYMENT: deployment,
    ORDERS_TABLE: tables.orders.tableName,
    ...columnsFor(tables),
    REVERSALS_TABLE: tables.reversals.tableName,
    STATE_TABLE: tables.state.tableName,
    IAMPORT_SECRET_ARN: secret.secretArn,
    IAMPORT_API_URL: environment.IAMPORT_API_URL,
    ...Object.fromEntries(facts.settings.map((name) => [name, environment[name]])),
  };
}

/** The publisher knows neither Iamport nor the secret. */
function workerEnvironment(name: WorkerName, facts: Facts, props: FunctionsProps): Record<string, string> {
  if (name !== 'publish') return environmentFor(facts, props);
  const { tables, bus, deployment, unpublished } = props;
  return {
    DEPLOYMENT: deployment,
    ...(tables.shopColumns && { ORDERS_TABLE: tables.orders.tableName }),
    UNPUBLISHED_QUEUE_URL: unpublished.queueUrl,
    REVERSALS_TABLE: tables.reversals.tableName,
    ...columnsFor(tables),
    // By its name one of another account would be looked for in this one.
    EVENT_BUS: bus.eventBusArn,
  };
}

/** What the shop calls things in its own table of orders, if they are in one. */
const columnsFor = ({ shopColumns }: Tables): Record<string, string> =>
  shopColumns ? { ORDERS_COLUMNS: JSON.stringify(shopColumns) } : {};

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
