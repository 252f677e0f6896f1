/** The context of cdk.json as this project ships it: what tests run with, whatever a shop has set in its own cdk.json. */
import type { Configuration } from '../../infra/config.ts';

export const shippedContext = {
  iamport: {
    storefront: { origins: ['https://shop.example'] },
    results: {},
    shopName: '',
    testPayments: 'refuse',
    reversals: 'automatic',
    webhookSenders: 'any',
    iamportApiUrl: 'https://api.iamport.kr',
  } satisfies Configuration,
};
