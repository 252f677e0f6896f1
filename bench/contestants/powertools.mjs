/** The field's toolkit: middy and Powertools (logger, tracer, metrics, idempotency) around zod, fetch and the document client. Bundled. */
import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import { z } from 'zod';

const { IAMPORT_API_URL, IMP_KEY, IMP_SECRET, ORDERS_TABLE, STATE_TABLE } = process.env;
const logger = new Logger({ serviceName: 'payments' });
const tracer = new Tracer({ serviceName: 'payments' });
const metrics = new Metrics({ namespace: 'payments', serviceName: 'payments' });
const client = tracer.captureAWSv3Client(new DynamoDBClient({}));
const orders = DynamoDBDocumentClient.from(client);
const persistenceStore = new DynamoDBPersistenceLayer({ tableName: STATE_TABLE, awsSdkV3Client: client });
const config = new IdempotencyConfig({ eventKeyJmesPath: 'body' });

const Body = z.object({ imp_uid: z.string().min(5), merchant_uid: z.string().min(1) });
const Payment = z.object({ status: z.string(), amount: z.number(), paid_at: z.number() });
const Token = z.object({ access_token: z.string(), expired_at: z.number(), now: z.number() });

async function asked(path, init, schema) {
  const response = await fetch(`${IAMPORT_API_URL}${path}`, init);
  const { response: answer } = await response.json();
  return schema.parse(answer);
}

let token;

async function tokenNow() {
  if (token && token.until > Date.now()) return token.value;
  const body = JSON.stringify({ imp_key: IMP_KEY, imp_secret: IMP_SECRET });
  const headers = { 'content-type': 'application/json' };
  const found = await asked('/users/getToken', { method: 'POST', headers, body }, Token);
  token = { value: found.access_token, until: Date.now() + (found.expired_at - found.now - 60) * 1000 };
  return token.value;
}

async function complete(event) {
  const { imp_uid, merchant_uid } = Body.parse(JSON.parse(event.body));
  const authorization = await tokenNow();
  const payment = await asked(`/payments/${imp_uid}`, { headers: { authorization } }, Payment);
  const { Item: order } = await orders.send(new GetCommand({ TableName: ORDERS_TABLE, Key: { merchant_uid } }));
  if (payment.status !== 'paid' || payment.amount !== order.amount) {
    return { statusCode: 200, body: JSON.stringify({ status: 'rejected' }) };
  }
  await orders.send(
    new UpdateCommand({
      TableName: ORDERS_TABLE,
      Key: { merchant_uid },
      UpdateExpression: 'SET #status = :paid, imp_uid = :imp_uid',
      ConditionExpression: '#status = :ready',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':paid': 'paid', ':ready': 'ready', ':imp_uid': imp_uid },
    }),
  );
  metrics.addMetric('paid', MetricUnit.Count, 1);
  logger.info('paid', { imp_uid, merchant_uid });
  return { statusCode: 200, body: JSON.stringify({ status: 'paid' }) };
}

export const handler = middy(complete)
  .use(injectLambdaContext(logger))
  .use(captureLambdaHandler(tracer))
  .use(logMetrics(metrics))
  .use(makeHandlerIdempotent({ persistenceStore, config }));
