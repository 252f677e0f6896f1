/**
 * One Lambda function a door and a worker, each with a role of its own that may do what doors.ts lists and write its own
 * log, and nothing else.
 */
import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environmentOf, type Settings } from './config.ts';
import { doorEntries, type Facts, type FunctionName, type Resource, type WorkerName, workerEntries } from './doors.ts';
import type { Tables } from './tables.ts';

/** With the heavy work done in init, which Lambda runs at full speed, more memory buys nothing. */
const DOOR_MEMORY_MB = 256;
/** Above the 10 s that a request may work, below the 30 s at which the API gives up. */
const DOOR_TIMEOUT_SECONDS = 12;
/** Long enough for a dispute about a payment to surface. */
export const LOG_RETENTION = RetentionDays.THREE_MONTHS;

export interface FunctionsProps {
  settings: Settings;
  tables: Tables;
  secret: Secret;
  bus: EventBus;
  /** Where changes go that could not be published. */
  unpublished: Queue;
  /** A directory with `<name>/index.mjs` for every function. */
  bundles: string;
}

interface Size {
  timeoutSeconds: number;
  memoryMb: number;
}

export class Functions extends Construct {
  readonly byName: Readonly<Record<FunctionName, LambdaFunction>>;

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
  }

  private make(
    name: FunctionName,
    facts: Facts,
    { timeoutSeconds, memoryMb }: Size,
    environment: Record<string, string>,
    props: FunctionsProps,
  ): LambdaFunction {
    const scope = new Construct(this, pascalCase(name));
    const logGroup = new LogGroup(scope, 'Log', {
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    return new LambdaFunction(scope, 'Function', {
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
    });
  }
}

function roleFor(scope: Construct, facts: Facts, logGroup: LogGroup, props: FunctionsProps): Role {
  const { tables, secret, bus, unpublished } = props;
  const arns: Record<Resource, string> = {
    orders: tables.orders.tableArn,
    'orders/due': `${tables.orders.tableArn}/index/due`,
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
  const rights = Object.entries(facts.rights) as [Resource, readonly string[]][];
  const statements = [
    ...rights.map(([resource, actions]) => new PolicyStatement({ actions: [...actions], resources: [arns[resource]] })),
    new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
  ];
  return new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { door: new PolicyDocument({ statements }) },
  });
}

function environmentFor(facts: Facts, { settings, tables, secret }: FunctionsProps): Record<string, string> {
  const environment = environmentOf(settings);
  return {
    ORDERS_TABLE: tables.orders.tableName,
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
  return { REVERSALS_TABLE: props.tables.reversals.tableName, EVENT_BUS: props.bus.eventBusName };
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
