/**
 * The same job with Node.js alone: no SDK, no HTTP library, no validation, no retries, no time-outs, a signature written out.
 * What speed costs when nobody has to maintain it. Keeps the token while the instance lives.
 */
const https = require('node:https');
const { createHash, createHmac } = require('node:crypto');

const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL_DYNAMODB } = process.env;
const { IAMPORT_API_URL, IMP_KEY, IMP_SECRET, ORDERS_TABLE } = process.env;
const agent = new https.Agent({ keepAlive: true });

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

function call(url, method, headers, body = '') {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { agent, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
    });
    request.on('error', reject).end(body);
  });
}

function dynamodb(operation, input) {
  const { host } = new URL(AWS_ENDPOINT_URL_DYNAMODB);
  const body = JSON.stringify(input);
  const at = new Date().toISOString().replace(/[:-]|\.\d{3}/g, '');
  const day = at.slice(0, 8);
  const target = `DynamoDB_20120810.${operation}`;
  const signed = 'content-type;host;x-amz-date;x-amz-target';
  const type = 'application/x-amz-json-1.0';
  const lines = `content-type:${type}\nhost:${host}\nx-amz-date:${at}\nx-amz-target:${target}\n`;
  const scope = `${day}/${AWS_REGION}/dynamodb/aws4_request`;
  const canonical = sha256(`POST\n/\n\n${lines}\n${signed}\n${sha256(body)}`);
  const key = ['dynamodb', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${AWS_SECRET_ACCESS_KEY}`, day), AWS_REGION));
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${at}\n${scope}\n${canonical}`).toString('hex');
  return call(
    AWS_ENDPOINT_URL_DYNAMODB,
    'POST',
    {
      'content-type': type,
      'x-amz-date': at,
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
    },
    body,
  );
}

let token;

async function tokenNow() {
  if (token && token.until > Date.now()) return token.value;
  const keys = JSON.stringify({ imp_key: IMP_KEY, imp_secret: IMP_SECRET });
  const url = `${IAMPORT_API_URL}/users/getToken`;
  const { body } = await call(url, 'POST', { 'content-type': 'application/json' }, keys);
  const { access_token, expired_at, now } = body.response;
  token = { value: access_token, until: Date.now() + (expired_at - now - 60) * 1000 };
  return access_token;
}

exports.handler = async (event) => {
  const { imp_uid, merchant_uid } = JSON.parse(event.body);
  const answer = await call(`${IAMPORT_API_URL}/payments/${imp_uid}`, 'GET', { authorization: await tokenNow() });
  const payment = answer.body.response;
  if (payment.status !== 'paid' || payment.merchant_uid !== merchant_uid) {
    return { statusCode: 200, body: '{"status":"rejected"}' };
  }
  const written = await dynamodb('UpdateItem', {
    TableName: ORDERS_TABLE,
    Key: { merchant_uid: { S: merchant_uid } },
    UpdateExpression: 'SET #status = :paid, imp_uid = :imp_uid, paid_at = :paid_at',
    ConditionExpression: '#status = :ready AND amount = :amount',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: {
      ':paid': { S: 'paid' },
      ':ready': { S: 'ready' },
      ':imp_uid': { S: imp_uid },
      ':paid_at': { N: String(payment.paid_at) },
      ':amount': { N: String(payment.amount) },
    },
  });
  return { statusCode: 200, body: JSON.stringify({ status: written.status === 200 ? 'paid' : 'rejected' }) };
};
