/** Recognises Iamport by the source IP of the connection. Headers are not read: the sender controls them. */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** The addresses that PortOne publishes. They have changed before, so an unknown one must not stop a payment. */
const iamportAddresses = new Set(['52.78.100.19', '52.78.48.223', '52.78.5.241']);

/** Behind CloudFront the source IP is CloudFront's, so the result is always false. */
export const isFromIamport = ({ requestContext }: APIGatewayProxyEventV2): boolean =>
  iamportAddresses.has(requestContext.http.sourceIp);
