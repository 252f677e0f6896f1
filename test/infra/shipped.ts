/** The context of this project's own cdk.json. Tests use it, so that a shop's changes to cdk.json do not affect them. */
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
