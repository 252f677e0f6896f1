/**
 * The style of the official samples: Express on Lambda, axios, a token for every call, the order read and put.
 * Bundled, which those samples are not.
 */
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient, GetCommand, PutCommand } = require('@aws-sdk/lib-dynamodb');
const axios = require('axios');
const express = require('express');
const serverless = require('serverless-http');

const { IAMPORT_API_URL, IMP_KEY, IMP_SECRET, ORDERS_TABLE } = process.env;
const orders = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const app = express();
app.use(express.json());
app.use(express.urlencoded({ extended: true }));

app.post('/payments/complete', async (req, res) => {
  try {
    const { imp_uid, merchant_uid } = req.body;
    const token = await axios.post(`${IAMPORT_API_URL}/users/getToken`, { imp_key: IMP_KEY, imp_secret: IMP_SECRET });
    const { access_token } = token.data.response;
    const answer = await axios.get(`${IAMPORT_API_URL}/payments/${imp_uid}`, {
      headers: { Authorization: access_token },
    });
    const payment = answer.data.response;
    const { Item: order } = await orders.send(new GetCommand({ TableName: ORDERS_TABLE, Key: { merchant_uid } }));
    if (payment.status !== 'paid' || payment.amount !== order.amount) {
      return res.status(200).json({ status: 'rejected' });
    }
    const paid = { ...order, status: 'paid', imp_uid, paid_at: payment.paid_at };
    await orders.send(new PutCommand({ TableName: ORDERS_TABLE, Item: paid }));
    return res.status(200).json({ status: 'paid' });
  } catch (error) {
    return res.status(500).json({ message: error.message });
  }
});

exports.handler = serverless(app);
