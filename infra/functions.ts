/**
 * The Lambda functions of function-table.ts. Each has its own role, which allows only the rights listed there and writing the
 * function's own log.
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
import { Canary } from './canary.ts';
import { environmentOf, type Settings } from './config.ts';
import {
  type BundleName,
  type FunctionDefinition,
  type FunctionName,
  HTTP_FUNCTION_ENTRIES,
  HTTP_MEMORY_MB,
  type HttpFunction,
  type HttpFunctionName,
  type Resource,
  WORKER_ENTRIES,
  type WorkerName,
} from './function-table.ts';
import type { Tables } from './tables.ts';
import { VERSION } from './version.ts';

/** Above the 10 s limit of a request, below the 30 s timeout of API Gateway. */
const HTTP_TIMEOUT_SECONDS = 12;
/** The functions whose response a buyer waits for. */
const BUYER_FACING: readonly HttpFunctionName[] = ['complete', 'mobile-redirect'];
/** The KMS actions that DynamoDB and SQS call on the shop's key with the rights of the calling function. */
const KEY_RIGHTS = ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'];

/** X-Ray actions, which take no resource. */
const TRACE_RIGHTS = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
/** Lambda requires these to create a function in a VPC. AWS's managed policy for them also grants writing to every log group. */
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
  /** The keys of the shop's server; undefined with `shopAuth: "iam"`. */
  shopKeys: ISecret | undefined;
  bus: IEventBus;
  /** The dimension that separates the metrics of this deployment from those of others. */
  deployment: string;
  /** The queue of changes that could not be published. */
  unpublished: Queue;
  /** A directory with `<name>/index.mjs` for every function. */
  bundles: string;
  /** Encrypts tables, secret and queue, if the shop passed one. */
  encryptionKey?: IKey;
  /** The VPC of the functions; by default Lambda's own network. */
  network?: Network;
}

/** A VPC of the shop. It needs a route to the internet, to call Iamport. */
export interface Network {
  readonly vpc: IVpc;
  /** By default the private subnets with egress. */
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
  readonly #canary: Canary | undefined;
  /** The function or the alias that the routes of a function call. Created when a route first needs it. */
  readonly #routeTargets = new Map<HttpFunctionName, IFunction>();
  /** The rights of each function's role. */
  readonly #rights = new Map<FunctionName, PolicyDocument>();

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    const size = { timeoutSeconds: HTTP_TIMEOUT_SECONDS, memoryMb: HTTP_MEMORY_MB };
    this.byName = Object.fromEntries([
      ...HTTP_FUNCTION_ENTRIES.map(([name, httpFunction]) => [
        name,
        this.make(name, httpFunction, size, environmentFor(httpFunction, props), props),
      ]),
      ...WORKER_ENTRIES.map(([name, worker]) => [
        name,
        this.make(name, worker, worker, workerEnvironment(name, worker, props), props),
      ]),
    ]);
    this.#provisionedConcurrency = props.settings.provisionedConcurrency;
    this.#canary = props.settings.canary ? new Canary(this, 'Canary') : undefined;
  }

  /** Whether Lambda keeps instances of the function started. */
  isProvisioned(name: HttpFunctionName): boolean {
    return this.#provisionedConcurrency > 0 && BUYER_FACING.includes(name);
  }

  /** The target of the function's routes: the function, or its alias with provisioned concurrency or a canary. */
  routeTarget(name: HttpFunctionName): IFunction {
    const target = this.#routeTargets.get(name) ?? this.createRouteTarget(name);
    this.#routeTargets.set(name, target);
    return target;
  }

  private createRouteTarget(name: HttpFunctionName): IFunction {
    const lambda = this.byName[name];
    const isProvisioned = this.isProvisioned(name);
    if (!isProvisioned && !this.#canary) return lambda;
    const alias = new Alias(lambda, isProvisioned ? 'Started' : 'Live', {
      aliasName: isProvisioned ? 'started' : 'live',
      version: lambda.currentVersion,
      ...(isProvisioned && { provisionedConcurrentExecutions: this.#provisionedConcurrency }),
    });
    this.#canary?.shift(lambda, alias);
    return alias;
  }

  /** Adds to the environment of a function, and to the rights in its own role. */
  extend(name: FunctionName, environment: Readonly<Record<string, string>>, right: PolicyStatement): void {
    for (const [key, value] of Object.entries(environment)) this.byName[name].addEnvironment(key, value);
    this.#rights.get(name)?.addStatements(right);
  }

  private make(
    name: FunctionName,
    definition: FunctionDefinition,
    size: Size,
    environment: Record<string, string>,
    props: FunctionsProps,
  ): LambdaFunction {
    const { tables, encryptionKey } = props;
    const { description } = definition;
    const keys = [encryptionKey, tables.orders.encryptionKey].filter((key) => key !== undefined);
    const statements = statementsFor(definition, props);
    const scope = new Construct(this, pascalCase(name));
    const { lambda, role, rights } = createFunction(
      scope,
      {
        bundle: name,
        description,
        ...size,
        environment,
        statements,
        keys,
        reserved: props.settings.reservedConcurrency[name],
      },
      props,
    );
    this.#rights.set(name, rights);
    acknowledgeStreams(role, definition, tables);
    return lambda;
  }
}

/** A function with a bundle of ours. */
export interface FunctionCode extends Size {
  bundle: BundleName;
  description: string;
  environment: Record<string, string>;
  /** The rights of its role, besides writing its log and traces. */
  statements: readonly PolicyStatement[];
  /** The keys of the shop that encrypt what the function reads and writes. */
  keys: readonly IKey[];
  /** Executions at once that no other function can use, and the most that this one can have. */
  reserved?: number | undefined;
}

/** Creates the function, its log group and its role. */
export function createFunction(
  scope: Construct,
  { bundle, description, timeoutSeconds, memoryMb, environment, statements, keys, reserved }: FunctionCode,
  { settings, bundles, network }: Pick<FunctionsProps, 'settings' | 'bundles' | 'network'>,
): { lambda: LambdaFunction; role: Role; rights: PolicyDocument } {
  const logGroup = new LogGroup(scope, 'Log', logProps(settings));
  const { role, rights } = roleWith(scope, statements, logGroup, keys, network);
  const lambda = new LambdaFunction(scope, 'Function', {
    description,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: memoryMb,
    timeout: Duration.seconds(timeoutSeconds),
    handler: 'index.handler',
    code: Code.fromAsset(join(bundles, bundle)),
    role,
    loggingFormat: LoggingFormat.JSON,
    logGroup,
    environment: { ...environment, VERSION },
    ...(reserved && { reservedConcurrentExecutions: reserved }),
    ...network,
  });
  // The construct's `tracing` property would add a policy outside the role.
  const { defaultChild } = lambda.node;
  if (defaultChild instanceof CfnFunction) defaultChild.tracingConfig = { mode: 'Active' };
  return { lambda, role, rights };
}

/**
 * A name for a resource that must be unique in the account: letters, digits, dashes and underscores, which every service allows.
 * @param deployment the names of the stack and of the construct in it
 */
export const physicalName = (deployment: string): string => deployment.replace(/[^\w-]/g, '-');

/** Retention of a log group, and its removal policy. */
export function logProps({ logRetentionDays, removal }: Settings): LogGroupProps {
  const removalPolicy = removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
  return { retention: logRetentionDays, removalPolicy };
}

/** The rights of function-table.ts as statements. */
function statementsFor(definition: FunctionDefinition, props: FunctionsProps): PolicyStatement[] {
  const { tables, secret, shopKeys, bus, unpublished } = props;
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
    'shop-keys': shopKeys?.secretArn ?? '',
    bus: bus.eventBusArn,
    unpublished: unpublished.queueArn,
  };
  const all = {
    ...definition.rights,
    ...(tables.shopColumns && definition.rightsInShopTable),
    ...(shopKeys && hasRight(definition) && { 'shop-keys': ['secretsmanager:GetSecretValue'] }),
  };
  const rights = Object.entries(all) as [Resource, readonly string[]][];
  return rights.map(
    ([resource, actions]) => new PolicyStatement({ actions: [...actions], resources: [arns[resource]] }),
  );
}

function roleWith(
  scope: Construct,
  own: readonly PolicyStatement[],
  logGroup: LogGroup,
  keys: readonly IKey[],
  network: Network | undefined,
): { role: Role; rights: PolicyDocument } {
  const statements = [
    ...own,
    new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
    new PolicyStatement({ actions: TRACE_RIGHTS, resources: ['*'] }),
    ...(network ? [new PolicyStatement({ actions: NETWORK_RIGHTS, resources: ['*'] })] : []),
    ...[...new Set(keys.map(({ keyArn }) => keyArn))].map(
      (keyArn) => new PolicyStatement({ actions: KEY_RIGHTS, resources: [keyArn] }),
    ),
  ];
  const rights = new PolicyDocument({ statements });
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { function: rights },
  });
  acknowledgeWildcards(role, network, keys.length > 0);
  return { role, rights };
}

/** Acknowledges, for cdk-nag, the wildcards that cannot be narrower. */
function acknowledgeWildcards(role: Role, network: Network | undefined, withKey: boolean): void {
  const traces = 'Only the two actions that send traces to X-Ray. They take no resource.';
  const interfaces =
    'Only the actions that send traces to X-Ray, and create and delete network interfaces, which have no names before they exist.';
  acknowledge(role, 'IAM5[Resource::*]', network ? interfaces : traces);
  for (const action of withKey ? KEY_RIGHTS.filter((right) => right.endsWith('*')) : []) {
    const variants =
      'Both variants of one action, on this one key: DynamoDB requires them of callers of an encrypted table.';
    acknowledge(role, `IAM5[Action::${action}]`, variants);
  }
}

function acknowledgeStreams(role: Role, { rights }: FunctionDefinition, tables: Tables): void {
  for (const name of ['orders', 'reversals'] as const) {
    const arn: unknown = Stack.of(role).resolve(tables[name].tableArn);
    if (!rights[`${name}/stream`]) continue;
    const table = typeof arn === 'string' ? arn : `<${Object(arn)['Fn::GetAtt']?.join('.')}>`;
    const streams =
      'Any stream of this one table: DynamoDB names a stream when it creates it, and a new stream has a new name.';
    acknowledge(role, `IAM5[Resource::${table}/stream/*]`, streams);
  }
}

const acknowledge = (role: Role, id: string, reason: string): void =>
  Validations.of(role).acknowledge({ id: `AwsSolutions::AwsSolutions-${id}`, reason });

/** A function that only the shop's server may call. */
const hasRight = (definition: FunctionDefinition | HttpFunction): boolean =>
  'right' in definition && definition.right !== undefined;

function environmentFor(
  definition: FunctionDefinition,
  { settings, tables, secret, shopKeys, deployment }: FunctionsProps,
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
    ...(hasRight(definition) && {
      SHOP_AUTH: settings.shopAuth,
      ...(shopKeys && { SHOP_KEYS_SECRET_ARN: shopKeys.secretArn }),
    }),
    ...Object.fromEntries(definition.settings.map((name) => [name, environment[name]])),
  };
}

/** The publisher gets neither Iamport's address nor the secret. */
function workerEnvironment(
  name: WorkerName,
  definition: FunctionDefinition,
  props: FunctionsProps,
): Record<string, string> {
  if (name !== 'publish') return environmentFor(definition, props);
  const { tables, bus, deployment, unpublished } = props;
  return {
    DEPLOYMENT: deployment,
    ...(tables.shopColumns && { ORDERS_TABLE: tables.orders.tableName }),
    UNPUBLISHED_QUEUE_URL: unpublished.queueUrl,
    REVERSALS_TABLE: tables.reversals.tableName,
    ...columnsFor(tables),
    // The ARN, since PutEvents looks up a name in the caller's own account.
    EVENT_BUS: bus.eventBusArn,
  };
}

/** The attribute names of the shop's own table of orders, if it has one. */
const columnsFor = ({ shopColumns }: Tables): Record<string, string> =>
  shopColumns ? { ORDERS_COLUMNS: JSON.stringify(shopColumns) } : {};

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
