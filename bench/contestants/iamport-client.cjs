/** A client package for Iamport from npm, which keeps its token, with the SDK's document client. Bundled. */
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient, GetCommand, UpdateCommand } = require('@aws-sdk/lib-dynamodb');
const { Iamport, Request } = require('iamport-rest-client-nodejs');

const { IAMPORT_API_URL, IMP_KEY, IMP_SECRET, ORDERS_TABLE } = process.env;
const iamport = new Iamport({ apiKey: IMP_KEY, apiSecret: IMP_SECRET, baseUrl: IAMPORT_API_URL });
const orders = DynamoDBDocumentClient.from(new DynamoDBClient({}));

exports.handler = async (event) => {
  const { imp_uid, merchant_uid } = JSON.parse(event.body);
  const [answer, { Item: order }] = await Promise.all([
    Request.Payments.getByImpUid({ imp_uid }).request(iamport),
    orders.send(new GetCommand({ TableName: ORDERS_TABLE, Key: { merchant_uid } })),
  ]);
  const payment = answer.data.response;
  if (payment.status !== 'paid' || payment.amount !== order.amount) {
    return { statusCode: 200, body: JSON.stringify({ status: 'rejected' }) };
  }
  await orders.send(
    new UpdateCommand({
      TableName: ORDERS_TABLE,
      Key: { merchant_uid },
      UpdateExpression: 'SET #status = :paid, imp_uid = :imp_uid, paid_at = :paid_at',
      ConditionExpression: '#status = :ready',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':paid': 'paid',
        ':ready': 'ready',
        ':imp_uid': imp_uid,
        ':paid_at': payment.paid_at.getTime() / 1000,
      },
    }),
  );
  return { statusCode: 200, body: JSON.stringify({ status: 'paid' }) };
};
