/** Who sent a request, by its connection. A header is never read for this: the sender writes those. */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** The addresses that PortOne publishes. They have changed before, so an unknown address alone is no reason to refuse a payment. */
const iamportAddresses = new Set(['52.78.100.19', '52.78.48.223', '52.78.5.241']);

/** Behind CloudFront the connection is CloudFront's, and every sender is unknown. */
export const isFromIamport = ({ requestContext }: APIGatewayProxyEventV2): boolean =>
  iamportAddresses.has(requestContext.http.sourceIp);
