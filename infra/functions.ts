/**
 * One Lambda function a door, each with a role of its own that may do what doors.ts lists and write its own log, and
 * nothing else.
 */
import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { environmentOf, type Settings } from './config.ts';
import { type Door, type DoorName, doorEntries, type Resource } from './doors.ts';
import type { Tables } from './tables.ts';

/** With the heavy work done in init, which Lambda runs at full speed, more memory buys nothing. */
const MEMORY_MB = 256;
/** Above the 10 s that a request may work, below the 30 s at which the API gives up. */
const TIMEOUT = Duration.seconds(12);
/** Long enough for a dispute about a payment to surface. */
export const LOG_RETENTION = RetentionDays.THREE_MONTHS;

export interface FunctionsProps {
  settings: Settings;
  tables: Tables;
  secret: Secret;
  /** A directory with `<door>/index.mjs` for every door. */
  bundles: string;
}

export class Functions extends Construct {
  /** The function of each door. */
  readonly byDoor: Readonly<Record<DoorName, LambdaFunction>>;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    const functions = doorEntries.map(([name, door]) => [name, this.doorFunction(name, door, props)]);
    this.byDoor = Object.fromEntries(functions);
  }

  private doorFunction(name: DoorName, door: Door, props: FunctionsProps): LambdaFunction {
    const scope = new Construct(this, pascalCase(name));
    const logGroup = new LogGroup(scope, 'Log', {
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    return new LambdaFunction(scope, 'Function', {
      description: door.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: MEMORY_MB,
      timeout: TIMEOUT,
      handler: 'index.handler',
      code: Code.fromAsset(join(props.bundles, name)),
      role: doorRole(scope, door, logGroup, props),
      loggingFormat: LoggingFormat.JSON,
      logGroup,
      environment: doorEnvironment(door, props),
    });
  }
}

function doorRole(scope: Construct, door: Door, logGroup: LogGroup, { tables, secret }: FunctionsProps): Role {
  const arns: Record<Resource, string> = {
    orders: tables.orders.tableArn,
    reversals: tables.reversals.tableArn,
    'reversals/by-order': `${tables.reversals.tableArn}/index/by-order`,
    state: tables.state.tableArn,
    secret: secret.secretArn,
  };
  const rights = Object.entries(door.rights) as [Resource, readonly string[]][];
  const statements = [
    ...rights.map(([resource, actions]) => new PolicyStatement({ actions: [...actions], resources: [arns[resource]] })),
    new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
  ];
  return new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { door: new PolicyDocument({ statements }) },
  });
}

function doorEnvironment(door: Door, { settings, tables, secret }: FunctionsProps): Record<string, string> {
  const environment = environmentOf(settings);
  return {
    ORDERS_TABLE: tables.orders.tableName,
    REVERSALS_TABLE: tables.reversals.tableName,
    STATE_TABLE: tables.state.tableName,
    IAMPORT_SECRET_ARN: secret.secretArn,
    IAMPORT_API_URL: environment.IAMPORT_API_URL,
    ...Object.fromEntries(door.settings.map((name) => [name, environment[name]])),
  };
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
