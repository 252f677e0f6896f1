/** The HTTP API in front of the functions: routes, who may call them, how often, and what is logged about a call. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CfnStage,
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  type HttpRoute,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { doorEntries } from './doors.ts';
import { type Functions, LOG_RETENTION } from './functions.ts';

/** For a route that doors.ts says nothing about. */
const DEFAULT_THROTTLE = { rateLimit: 50, burstLimit: 100 };

/** Who called which route and how it went; never a path, a query or a header, where ids and personal data would be. */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  route: '$context.routeKey',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  integrationLatencyMs: '$context.integrationLatency',
  integrationError: '$context.integrationErrorMessage',
};

export class PaymentsApi extends Construct {
  readonly api: HttpApi;

  constructor(scope: Construct, id: string, settings: Settings, functions: Functions) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', {
      apiName: 'iamport-payments',
      description: 'Payment completion for a shop that sells through Iamport.',
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: settings.storefront.origins,
        allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.OPTIONS],
        allowHeaders: ['content-type'],
        exposeHeaders: ['retry-after'],
        maxAge: Duration.hours(1),
      },
    });
    this.stage(this.routes(functions));
  }

  private routes(functions: Functions): HttpRoute[] {
    return doorEntries.flatMap(([name, door]) => {
      const integration = new HttpLambdaIntegration(name, functions.byName[name]);
      const signed = door.signed && { authorizer: new HttpIamAuthorizer() };
      return door.routes.flatMap(({ method, path }) =>
        this.api.addRoutes({ path, methods: [HttpMethod[method]], integration, ...signed }),
      );
    });
  }

  private stage(routes: HttpRoute[]): void {
    const logGroup = new LogGroup(this, 'AccessLog', {
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: DEFAULT_THROTTLE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(logGroup),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
    const { defaultChild } = stage.node;
    if (defaultChild instanceof CfnStage) defaultChild.routeSettings = routeSettings();
    // Settings may name only routes that exist by then.
    stage.node.addDependency(...routes);
  }
}

function routeSettings(): Record<string, object> {
  const settings = doorEntries.flatMap(([, { routes, throttle }]) =>
    routes.map(({ method, path }) => [
      `${method} ${path}`,
      { ThrottlingRateLimit: throttle.perSecond, ThrottlingBurstLimit: throttle.burst },
    ]),
  );
  return Object.fromEntries(settings);
}
