/** The resources of the template and their properties. The rights of the functions are in rights.test.ts. */
import { describe, expect, test } from 'vitest';
import { VERSION } from '../../infra/version.ts';
import { Throttle } from '../../local/aws/throttle.ts';
import { ofType, referred, shortName, synthesized } from './synthesized.ts';

const template = synthesized({
  storefront: { origins: ['https://shop.example', 'https://m.shop.example:8443'] },
  results: { web: 'https://shop.example/orders/result', app: 'shopapp://result' },
  shopName: '가게',
});
const properties = (type: string) =>
  Object.fromEntries(Object.entries(ofType(template, type)).map(([name, { Properties }]) => [name, Properties]));

describe('the HTTP API', () => {
  test('has these routes, each with its function; the functions of the orders check the key', () => {
    const integrations = properties('AWS::ApiGatewayV2::Integration');
    const routes = Object.values(properties('AWS::ApiGatewayV2::Route')).map(
      ({ RouteKey, AuthorizationType, Target }) => {
        const [integration = ''] = referred(Target);
        return [RouteKey, AuthorizationType, ...referred(integrations[integration]?.IntegrationUri)];
      },
    );
    expect(routes).toEqual([
      ['POST /payments/complete', 'NONE', 'FunctionsCompleteFunction'],
      ['GET /payments/complete/mobile', 'NONE', 'FunctionsMobileRedirectFunction'],
      ['GET /payments', 'NONE', 'FunctionsMobileRedirectFunction'],
      ['GET /payments/{proxy+}', 'NONE', 'FunctionsMobileRedirectFunction'],
      ['POST /payments/webhook', 'NONE', 'FunctionsWebhookFunction'],
      ['POST /payments/{proxy+}', 'NONE', 'FunctionsWebhookFunction'],
      ['PUT /orders/{merchant_uid}', 'NONE', 'FunctionsOrdersFunction'],
      ['GET /orders/{merchant_uid}', 'NONE', 'FunctionsOrdersFunction'],
      ['POST /orders/{merchant_uid}/refunds', 'NONE', 'FunctionsRefundsFunction'],
      ['DELETE /orders/{merchant_uid}', 'NONE', 'FunctionsCloseOrderFunction'],
      ['POST /payments/confirm', 'NONE', 'FunctionsConfirmFunction'],
    ]);
  });

  test('uses payload format 2.0', () => {
    const formats = Object.values(properties('AWS::ApiGatewayV2::Integration')).map((one) => one.PayloadFormatVersion);
    expect(formats).toEqual(Array(7).fill('2.0'));
  });

  test('lets only the pages of the configured origins call it', () => {
    expect(properties('AWS::ApiGatewayV2::Api')).toMatchObject({
      HttpApi: {
        CorsConfiguration: {
          AllowOrigins: ['https://shop.example', 'https://m.shop.example:8443'],
          AllowMethods: ['GET', 'POST', 'OPTIONS'],
          AllowHeaders: ['content-type', 'authorization'],
          ExposeHeaders: ['retry-after'],
          MaxAge: 3600,
        },
      },
    });
    expect(JSON.stringify(properties('AWS::ApiGatewayV2::Api'))).not.toMatch(/"\*"|AllowCredentials/);
  });

  test('throttles every route [T44]', () => {
    expect(properties('AWS::ApiGatewayV2::Stage').HttpStage).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
      RouteSettings: {
        'POST /payments/complete': { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
        'GET /payments/complete/mobile': { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
        'POST /payments/webhook': { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
        'PUT /orders/{merchant_uid}': { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
        'GET /orders/{merchant_uid}': { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
        'POST /payments/confirm': { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
      },
    });
  });

  test('[T474] calls of one route, with or without a key, use up its own limit and no other', () => {
    const throttle = new Throttle(properties('AWS::ApiGatewayV2::Stage').HttpStage ?? {});
    const allowed = (route: string, calls: number) =>
      Array.from({ length: calls }, () => throttle.allows(route, 0)).filter(Boolean).length;
    expect(allowed('PUT /orders/{merchant_uid}', 1_000)).toBe(100);
    expect(allowed('GET /orders/{merchant_uid}', 1)).toBe(1);
    expect(allowed('POST /payments/complete', 1)).toBe(1);
  });

  test('creates its stage after the routes that the stage’s throttles name', () => {
    const { DependsOn = [] } = ofType(template, 'AWS::ApiGatewayV2::Stage').HttpStage ?? {};
    expect(DependsOn.map(shortName)).toEqual(
      expect.arrayContaining(Object.keys(properties('AWS::ApiGatewayV2::Route'))),
    );
  });

  test('logs each call as JSON, without path, query, headers or body', () => {
    const { AccessLogSettings } = properties('AWS::ApiGatewayV2::Stage').HttpStage as {
      AccessLogSettings: { Format: string; DestinationArn: unknown };
    };
    expect(JSON.parse(AccessLogSettings.Format)).toEqual({
      requestId: '$context.requestId',
      time: '$context.requestTime',
      ip: '$context.identity.sourceIp',
      route: '$context.routeKey',
      status: '$context.status',
      latencyMs: '$context.responseLatency',
      integrationLatencyMs: '$context.integrationLatency',
      lambdaStatus: '$context.integrationStatus',
      error: '$context.error.responseType',
      // A dimension of the metric that is counted in this log.
      deployment: 'IamportPayments/Payments',
    });
    expect(referred(AccessLogSettings.DestinationArn)).toEqual(['HttpAccessLog']);
  });
});

describe('the functions', () => {
  const functions = properties('AWS::Lambda::Function');

  test('for HTTP run on arm64 and Node 24 with 512 MB and 12 seconds, and log JSON into their own groups', () => {
    for (const name of ['Complete', 'MobileRedirect', 'Webhook', 'Orders', 'Refunds', 'CloseOrder', 'Confirm']) {
      const { LoggingConfig, ...rest } = functions[`Functions${name}Function`] ?? {};
      expect(rest).toMatchObject({
        Architectures: ['arm64'],
        Runtime: 'nodejs24.x',
        MemorySize: 512,
        Timeout: 12,
        Handler: 'index.handler',
      });
      expect(LoggingConfig).toMatchObject({ LogFormat: 'JSON' });
      expect(referred(LoggingConfig)).toEqual([`Functions${name}Log`]);
    }
    expect(Object.keys(functions)).toHaveLength(7 + 2);
  });

  test.each([
    ['Reconcile', 512, 120],
    ['Publish', 256, 30],
  ])('%s has %d MB and %d seconds, and is on no route', (worker, MemorySize, Timeout) => {
    expect(functions[`Functions${worker}Function`]).toMatchObject({
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      MemorySize,
      Timeout,
    });
  });

  test('the publisher gets neither Iamport’s address nor the secret', () => {
    const environment = functions.FunctionsPublishFunction?.Environment as { Variables: object } | undefined;
    expect(Object.keys(environment?.Variables ?? {})).toEqual([
      'DEPLOYMENT',
      'UNPUBLISHED_QUEUE_URL',
      'REVERSALS_TABLE',
      'EVENT_BUS',
      'VERSION',
    ]);
  });

  test.each([
    ['FunctionsCompleteFunction', { TEST_PAYMENTS: 'refuse', REVERSALS: 'automatic' }],
    ['FunctionsWebhookFunction', { TEST_PAYMENTS: 'refuse', REVERSALS: 'automatic', WEBHOOK_SENDERS: 'any' }],
    ['FunctionsOrdersFunction', { ORDER_PREFIX: '', SHOP_AUTH: 'key', SHOP_KEYS_SECRET_ARN: expect.anything() }],
    [
      'FunctionsMobileRedirectFunction',
      {
        TEST_PAYMENTS: 'refuse',
        REVERSALS: 'automatic',
        RESULT_TARGETS: '{"web":"https://shop.example/orders/result","app":"shopapp://result"}',
        SHOP_NAME: '가게',
        RESULT_PAGE: '{"shop":"https://shop.example"}',
      },
    ],
  ])('%s gets only the settings that it uses', (name, own) => {
    const environment = functions[name]?.Environment as { Variables: Record<string, unknown> } | undefined;
    const { ORDERS_TABLE, REVERSALS_TABLE, STATE_TABLE, IAMPORT_SECRET_ARN, ...rest } = environment?.Variables ?? {};
    expect(referred([ORDERS_TABLE, REVERSALS_TABLE, STATE_TABLE, IAMPORT_SECRET_ARN])).toEqual([
      'TablesOrders',
      'TablesReversals',
      'TablesState',
      'Secret',
    ]);
    expect(rest).toEqual({
      DEPLOYMENT: 'IamportPayments/Payments',
      IAMPORT_API_URL: 'https://api.iamport.kr',
      VERSION,
      ...own,
    });
  });
});

describe('data that outlives the stack', () => {
  const kept = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };
  const due = {
    IndexName: 'due',
    KeySchema: [
      { AttributeName: 'due_shard', KeyType: 'HASH' },
      { AttributeName: 'due_at', KeyType: 'RANGE' },
    ],
    Projection: { ProjectionType: 'KEYS_ONLY' },
  };
  const byOrder = {
    IndexName: 'by-order',
    KeySchema: [{ AttributeName: 'merchant_uid', KeyType: 'HASH' }],
    Projection: { ProjectionType: 'ALL' },
  };
  const types = { due_shard: 'S', due_at: 'N', merchant_uid: 'S', imp_uid: 'S', id: 'S' } as const;

  test.each([
    ['TablesOrders', 'merchant_uid', ['merchant_uid', 'due_shard', 'due_at'], [due]],
    ['TablesReversals', 'imp_uid', ['imp_uid', 'merchant_uid', 'due_shard', 'due_at'], [byOrder, due]],
    ['TablesState', 'id', ['id'], undefined],
  ] as const)('%s is keyed by %s, on demand, restorable and safe from deletion', (name, key, attributes, indexes) => {
    const table = ofType(template, 'AWS::DynamoDB::GlobalTable')[name];
    expect(table).toMatchObject({
      ...kept,
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
        AttributeDefinitions: attributes.map((attribute) => ({
          AttributeName: attribute,
          AttributeType: types[attribute],
        })),
        Replicas: [
          {
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        ],
      },
    });
    expect(table?.Properties.GlobalSecondaryIndexes).toEqual(indexes);
    // Without this property DynamoDB encrypts with the key that it owns. Unencrypted tables do not exist.
    expect(table?.Properties).not.toHaveProperty('SSESpecification');
  });

  test('the secret is created with empty keys and retained', () => {
    expect(ofType(template, 'AWS::SecretsManager::Secret')).toMatchObject({
      Secret: {
        DeletionPolicy: 'RetainExceptOnCreate',
        UpdateReplacePolicy: 'Retain',
        // CloudFormation would overwrite the shop's keys with a changed text.
        Properties: { SecretString: '{"imp_key":"","imp_secret":""}' },
      },
    });
  });

  test('tables and secret keep their logical ids: under another id CloudFormation would create new, empty ones', () => {
    const ids = Object.entries(template.Resources)
      .filter(([, { Type }]) => /DynamoDB|SecretsManager/.test(Type))
      .map(([id]) => id);
    expect(ids).toEqual([
      'PaymentsTablesOrdersD7E07471',
      'PaymentsTablesReversals16C5CB9E',
      'PaymentsTablesState64B02DFB',
      'PaymentsSecret026AFB96',
      'PaymentsShopKeys5F119F94',
    ]);
  });

  test('logs are kept 90 days', () => {
    const retentions = Object.values(properties('AWS::Logs::LogGroup')).map(({ RetentionInDays }) => RetentionInDays);
    expect(retentions).toEqual(Array(10).fill(90));
  });
});

test('the template has these resource types and no other', () => {
  const types = Object.values(template.Resources).map(({ Type }) => Type);
  expect(Object.fromEntries(types.map((type) => [type, types.filter((other) => other === type).length]))).toEqual({
    'AWS::ApiGatewayV2::Api': 1,
    'AWS::ApiGatewayV2::Integration': 7,
    'AWS::ApiGatewayV2::Route': 11,
    'AWS::ApiGatewayV2::Stage': 1,
    'AWS::CloudWatch::Alarm': 18,
    'AWS::CloudWatch::Dashboard': 1,
    'AWS::DynamoDB::GlobalTable': 3,
    'AWS::Events::Archive': 1,
    'AWS::Events::EventBus': 1,
    'AWS::IAM::Role': 10,
    'AWS::Lambda::EventInvokeConfig': 1,
    'AWS::Lambda::EventSourceMapping': 2,
    'AWS::Lambda::Function': 9,
    'AWS::Lambda::Permission': 11,
    'AWS::Logs::LogGroup': 10,
    'AWS::Logs::MetricFilter': 1,
    'AWS::SNS::Topic': 1,
    'AWS::SNS::TopicPolicy': 1,
    'AWS::SQS::Queue': 1,
    'AWS::SQS::QueuePolicy': 1,
    'AWS::Scheduler::Schedule': 1,
    'AWS::SecretsManager::Secret': 2,
  });
});

test('the outputs are those that an operator needs after a deployment', () => {
  expect(Object.keys(template.Outputs)).toEqual([
    'ApiUrl',
    'WebhookUrl',
    'MobileUrl',
    'SecretArn',
    'ShopKeysArn',
    'OrdersTable',
    'ReversalsTable',
    'EventBus',
    'StateTable',
    'Version',
  ]);
  expect(template.Outputs.WebhookUrl?.Value).toMatchObject({ 'Fn::Join': ['', [{}, '/payments/webhook']] });
  expect(template.Outputs.MobileUrl?.Value).toMatchObject({ 'Fn::Join': ['', [{}, '/payments/complete/mobile']] });
});

describe('the workers', () => {
  test('the reconciler runs every five minutes, and a missed run is not retried', () => {
    const [schedule] = Object.values(properties('AWS::Scheduler::Schedule'));
    expect(schedule).toMatchObject({
      ScheduleExpression: 'rate(5 minutes)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
    const target = schedule?.Target as { Arn: unknown } | undefined;
    expect(referred(target?.Arn)).toEqual(['FunctionsReconcileFunction']);
  });

  test('Lambda does not retry a failed asynchronous run of the reconciler', () => {
    const configs = Object.values(properties('AWS::Lambda::EventInvokeConfig'));
    expect(configs).toMatchObject([{ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 300 }]);
    expect(referred(configs[0]?.FunctionName)).toEqual(['FunctionsReconcileFunction']);
  });

  test('the publisher reads both streams with batch item failures, and Lambda sends expired records to the queue', () => {
    const mappings = Object.values(properties('AWS::Lambda::EventSourceMapping'));
    expect(mappings.map(({ EventSourceArn }) => referred(EventSourceArn))).toEqual([
      ['TablesOrders'],
      ['TablesReversals'],
    ]);
    for (const mapping of mappings) {
      expect(mapping).toMatchObject({
        StartingPosition: 'TRIM_HORIZON',
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        MaximumRetryAttempts: -1,
        MaximumRecordAgeInSeconds: 86_400,
        FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT","MODIFY"]}' }] },
      });
      expect(referred(mapping.FunctionName)).toEqual(['FunctionsPublishFunction']);
      expect(referred(mapping.DestinationConfig)).toEqual(['Unpublished']);
    }
  });

  test('the streams of orders and reversals have both versions of an item', () => {
    const tables = properties('AWS::DynamoDB::GlobalTable');
    for (const name of ['TablesOrders', 'TablesReversals']) {
      expect(tables[name]?.StreamSpecification).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' });
    }
    expect(tables.TablesState?.StreamSpecification).toBeUndefined();
  });
});
