/** The HTTP API before the functions: routes, authorizers, throttles and the access log. */
import { Aws, Duration, Fn, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CfnStage,
  CorsHttpMethod,
  DomainName,
  HttpApi,
  HttpMethod,
  type HttpRoute,
  HttpStage,
  LogGroupLogDestination,
  type MTLSConfig,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { FilterPattern, LogGroup } from 'aws-cdk-lib/aws-logs';
import { ARecord, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { type MetricName, namespace, ofDeployment } from '../functions/shared/metrics.ts';
import type { Settings } from './config.ts';
import { HTTP_FUNCTION_ENTRIES, routesOf } from './function-table.ts';
import { type Functions, logProps, physicalName } from './functions.ts';

/** For a route without an entry in function-table.ts. */
const DEFAULT_THROTTLE = { rateLimit: 50, burstLimit: 100 };

/**
 * Sender, route and result. Never a path, a query or a header: these contain ids and personal data. Nor a message of an error:
 * API Gateway does not escape values, and a quote in a message would make the line unreadable as JSON.
 */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  route: '$context.routeKey',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  integrationLatencyMs: '$context.integrationLatency',
  lambdaStatus: '$context.integrationStatus',
  error: '$context.error.responseType',
};

const CHECKED_BY_FUNCTION = {
  id: 'AwsSolutions::AwsSolutions-APIG4',
  reason: 'The function admits only the keys of the server of the shop, before it reads anything else.',
};

const OPEN_ON_PURPOSE = {
  id: 'AwsSolutions::AwsSolutions-APIG4',
  reason:
    'Buyers and Iamport call it, and neither can sign. Nothing that they send is trusted: the paid amount is read from Iamport, the expected amount is what the server of the shop registered.',
};

/** A name of the shop's own for the API. */
export interface OwnDomain {
  /** Such as `pay.shop.example`. */
  readonly name: string;
  /** A certificate for the name, in the region of the stack. */
  readonly certificate: ICertificate;
  /** The zone that gets the records of the name. Without one, point the name at the output of `payments.domainTarget` yourself. */
  readonly hostedZone?: IHostedZone;
  /** Disables API Gateway's own address. The shop's name stays open to every caller; `mtls` closes it. */
  readonly only?: boolean;
  /** A trust store: only clients with a certificate of it may connect, such as CloudFront with AWS WAF (docs/configuration.md). */
  readonly mtls?: MTLSConfig;
}

export interface PaymentsApiProps {
  readonly settings: Settings;
  readonly functions: Functions;
  /** The names of the stack and of the construct in it. */
  readonly deployment: string;
  readonly domain?: OwnDomain | undefined;
}

interface AccessLog {
  readonly logGroup: LogGroup;
  readonly format: AccessLogFormat;
}

export class PaymentsApi extends Construct {
  readonly api: HttpApi;
  /** The base URL, without a trailing slash. */
  readonly url: string;
  /** The target of the CNAME record of the shop's own name. */
  readonly domainTarget: string | undefined;

  constructor(scope: Construct, id: string, { settings, functions, deployment, domain }: PaymentsApiProps) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', {
      apiName: physicalName(deployment),
      description: 'Payment completion for a shop that sells through Iamport.',
      createDefaultStage: false,
      ...(domain?.only && { disableExecuteApiEndpoint: true }),
      corsPreflight: {
        allowOrigins: settings.storefront.origins,
        allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.OPTIONS],
        // Many storefronts add their own `authorization` to every request. Only the order routes read it.
        allowHeaders: ['content-type', 'authorization'],
        exposeHeaders: ['retry-after'],
        maxAge: Duration.hours(1),
      },
    });
    const domainName = domain && this.domain(domain);
    const logGroup = new LogGroup(this, 'AccessLog', {
      logGroupName: accessLogName(deployment),
      ...logProps(settings),
    });
    const format = AccessLogFormat.custom(JSON.stringify({ ...ACCESS_LOG, deployment }));
    this.stage(this.routes(functions, settings), settings, { logGroup, format }, domainName);
    // API Gateway has no metric of 429 alone: its `4xx` counts every refusal. A filter takes dimensions from the log line only.
    logGroup.addMetricFilter('Throttled', {
      filterPattern: FilterPattern.stringValue('$.status', '=', '429'),
      metricNamespace: namespace,
      metricName: 'ThrottledRequests' satisfies MetricName,
      metricValue: '1',
      dimensions: { [ofDeployment]: '$.deployment' },
    });
    this.url = domain ? `https://${domain.name}` : this.api.apiEndpoint;
    this.domainTarget = domainName?.regionalDomainName;
  }

  private domain({ name: domainName, certificate, hostedZone: zone, mtls }: OwnDomain): DomainName {
    const domain = new DomainName(this, 'Domain', { domainName, certificate, ...(mtls && { mtls }) });
    if (zone) {
      const { regionalDomainName, regionalHostedZoneId } = domain;
      const target = RecordTarget.fromAlias(new ApiGatewayv2DomainProperties(regionalDomainName, regionalHostedZoneId));
      // No AAAA record: the domain takes IPv4 only, which is API Gateway's default. With IPv6, PortOne's servers could send from
      // addresses that `webhookSenders` does not know.
      new ARecord(this, 'Ipv4', { zone, recordName: `${domainName}.`, target });
    }
    return domain;
  }

  private routes(functions: Functions, { shopAuth }: Settings): HttpRoute[] {
    return HTTP_FUNCTION_ENTRIES.flatMap(([name, httpFunction]) => {
      const integration = new HttpLambdaIntegration(name, functions.routeTarget(name));
      const isByIam = httpFunction.right !== undefined && shopAuth === 'iam';
      const routes = routesOf(httpFunction).flatMap(({ method, path }) =>
        this.api.addRoutes({
          path,
          methods: [HttpMethod[method]],
          integration,
          ...(isByIam && { authorizer: new HttpIamAuthorizer() }),
        }),
      );
      const reason = httpFunction.right === undefined ? OPEN_ON_PURPOSE : CHECKED_BY_FUNCTION;
      if (!isByIam) for (const route of routes) Validations.of(route).acknowledge(reason);
      return routes;
    });
  }

  private stage(routes: HttpRoute[], settings: Settings, log: AccessLog, domainName: DomainName | undefined): void {
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: DEFAULT_THROTTLE,
      ...(domainName && { domainMapping: { domainName } }),
      accessLogSettings: {
        destination: new LogGroupLogDestination(log.logGroup),
        format: log.format,
      },
    });
    const { defaultChild } = stage.node;
    if (defaultChild instanceof CfnStage) defaultChild.routeSettings = routeSettings(settings);
    // API Gateway rejects settings of routes that do not exist yet.
    stage.node.addDependency(...routes);
  }
}

/**
 * API Gateway adds a log group to one resource policy of the account, which is limited to 5,120 characters, unless its name begins with
 * `/aws/vendedlogs/`. A full policy fails the deployment. The UUID of the stack's id keeps the log of a deleted stack from blocking
 * the next stack with the same name.
 */
function accessLogName(deployment: string): string {
  const uuid = Fn.select(2, Fn.split('/', Aws.STACK_ID));
  return `/aws/vendedlogs/apis/${physicalName(deployment)}-${uuid}`;
}

function routeSettings({ throttles }: Settings): Record<string, object> {
  const settings = HTTP_FUNCTION_ENTRIES.flatMap(([, httpFunction]) =>
    routesOf(httpFunction).map(({ method, path }) => {
      const { perSecond, burst } = throttles[`${method} ${path}`] ?? httpFunction.throttle;
      return [`${method} ${path}`, { ThrottlingRateLimit: perSecond, ThrottlingBurstLimit: burst }];
    }),
  );
  return Object.fromEntries(settings);
}
