/** The schema of the configuration: valid values, defaults and errors. */
import { describe, expect, test } from 'vitest';
import { ConfigurationError, environmentOf, readSettings, readStackSettings } from '../../infra/config.ts';
import { cdkContext } from '../../infra/context.ts';

const storefront = { origins: ['https://shop.example'] };

test('only the origins are required', () => {
  expect(readSettings({ storefront })).toEqual({
    storefront: { origins: ['https://shop.example'] },
    results: {},
    shopAuth: 'key',
    shopName: '',
    resultPage: {},
    testPayments: 'refuse',
    reversals: 'automatic',
    webhookSenders: 'any',
    webhooks: [],
    orderPrefix: '',
    tiers: [],
    iamportApiUrl: 'https://api.iamport.kr',
    throttles: {},
    provisionedConcurrency: 0,
    keepWarm: false,
    reservedConcurrency: {},
    canary: false,
    alarmEmails: [],
    alarmTopicArn: '',
    dashboard: true,
    budget: 0,
    logRetentionDays: 90,
    archiveDays: 30,
    removal: 'keep',
    tags: {},
  });
});

test('the configuration is valid, as cdk.json ships and as a shop has filled it in', () => {
  expect(readStackSettings(cdkContext().iamport)).toBeDefined();
});

test('an address with a slash at the end is answered by the address without it', () => {
  const configuration = { storefront: { origins: ['https://shop.example/', 'https://shop.example//'] } };
  expect(problemsOf({ ...configuration, iamportApiUrl: 'https://api.iamport.kr/' })).toEqual([
    'storefront.origins.0 is "https://shop.example/": it must be an exact origin, without the slash at the end: "https://shop.example"',
    'storefront.origins.1 is "https://shop.example//": it must be an exact origin, https:// and a host without path or wildcard, like "https://shop.example"',
    'iamportApiUrl is "https://api.iamport.kr/": it must be an exact origin, without the slash at the end: "https://api.iamport.kr"',
  ]);
});

describe('the stack of this repository', () => {
  const certificateArn = 'arn:aws:acm:ap-northeast-2:123456789012:certificate/0a1b2c3d-0000-1111-2222-333344445555';
  const problems = (more: object) => problemsOf({ storefront, ...more }, readStackSettings);

  test('takes a name and a domain, which the construct refuses', () => {
    const domain = { name: 'pay.shop.example', certificateArn, hostedZoneId: 'Z0123456789ABCDEFGHIJ' };
    const settings = readStackSettings({ storefront, name: 'ShopStaging', domain });
    expect([settings.name, settings.domain]).toEqual(['ShopStaging', { ...domain, only: false }]);
    expect(readStackSettings({ storefront })).toMatchObject({ name: 'IamportPayments' });
    expect(problemsOf({ storefront, name: 'ShopStaging' })).toEqual(['name is "ShopStaging": there is no such key']);
  });

  test.each(['', '1shop', 'shop_staging', 'Shop.Staging', '가게', `S${'a'.repeat(64)}`])(
    'refuses the name %j',
    (name) => {
      expect(problems({ name })).toEqual([
        `name is ${JSON.stringify(name)}: it must begin with a letter and have at most 64 letters, digits and "-", like "ShopStaging"`,
      ]);
    },
  );

  test('names every problem of a domain', () => {
    const domain = {
      name: 'https://pay.shop.example',
      certificateArn: 'arn:aws:iam::1:x',
      hostedZoneId: 'shop',
      cname: 1,
    };
    expect(problems({ domain })).toEqual([
      'domain.name is "https://pay.shop.example": it must be a domain name in lower case, like "pay.shop.example"',
      'domain.certificateArn is "arn:aws:iam::1:x": it must be the ARN of a certificate in AWS Certificate Manager, in the region of the deployment',
      'domain.hostedZoneId is "shop": it must be the id of a hosted zone in Route 53, like "Z0123456789ABCDEFGHIJ"',
      'domain.cname is 1: there is no such key',
    ]);
    for (const name of ['shop', 'Pay.shop.example', 'pay.shop.example.', 'pay..example', 'pay.shop.1']) {
      expect(problems({ domain: { name, certificateArn } })).toHaveLength(1);
    }
  });
});

test('every setting is an environment variable of the functions', () => {
  const settings = readSettings({
    storefront,
    results: { web: 'https://shop.example/result?lang=ko', app: 'shopapp://result' },
    shopName: '우리 가게',
    resultPage: { color: '#00aa55', support: 'tel:02-000-0000' },
    testPayments: 'accept',
    reversals: 'manual',
    webhookSenders: 'iamport-only',
    orderPrefix: 'shop-',
    tiers: ['T001', 'shop_2'],
    iamportApiUrl: 'https://iamport.test',
  });
  expect(environmentOf(settings)).toEqual({
    IAMPORT_API_URL: 'https://iamport.test',
    TEST_PAYMENTS: 'accept',
    REVERSALS: 'manual',
    WEBHOOK_SENDERS: 'iamport-only',
    ORDER_PREFIX: 'shop-',
    TIERS: '["T001","shop_2"]',
    RESULT_TARGETS: '{"web":"https://shop.example/result?lang=ko","app":"shopapp://result"}',
    SHOP_NAME: '우리 가게',
    RESULT_PAGE: '{"shop":"https://shop.example","color":"#00aa55","support":"tel:02-000-0000"}',
  });
});

test('one error names every problem, with key, value and rule', () => {
  const configuration = {
    storefront: { origins: ['https://shop.example', 'http://shop.example'], colour: 'red' },
    results: { web: 'javascript:alert(1)', Web: 'https://shop.example' },
    shopName: 7,
    testPayments: 'yes',
    reversals: null,
    webhook: 'any',
    tiers: ['T001', 'T 2', 'T001'],
    throttles: { 'GET /': { perSecond: 0, burst: 1.5 }, 'POST /payments/webhook': { perSecond: 20_000 } },
    provisionedConcurrency: -1,
    keepWarm: 'always',
    reservedConcurrency: { reconciler: 1, publish: 0 },
    canary: 10,
    alarmEmails: ['owner@shop.example', 'owner'],
    alarmTopicArn: 'payments-alarms',
    dashboard: 'no',
    budget: -5,
    logRetentionDays: 8,
    archiveDays: -1,
    removal: 'never',
    tags: { 'aws:own': 'x', team: '<script>' },
  };
  expect(problemsOf(configuration)).toEqual([
    'storefront.origins.1 is "http://shop.example": it must be an exact origin, https:// and a host without path or wildcard, like "https://shop.example"',
    'storefront.colour is "red": there is no such key',
    'results.web is "javascript:alert(1)": it must be an https:// URL or an app link with a scheme of its own, like "shopapp://result" or "shopapp"',
    'results.Web is "https://shop.example": its name must begin with a-z and have at most 32 of a-z, 0-9, "-" and "_"',
    'shopName is 7: it must be of type string',
    'testPayments is "yes": it must be "refuse" or "accept"',
    'reversals is null: it must be "automatic" or "manual"',
    'tiers.1 is "T 2": it must be a sub-merchant\'s code: 1 to 40 of A-Z a-z 0-9 - _',
    'tiers is ["T001","T 2","T001"]: it must have each code once',
    'throttles.GET / is {"perSecond":0,"burst":1.5}: its name must be a route, like "POST /payments/complete"',
    'throttles.POST /payments/webhook.perSecond is 20000: it must be a whole number from 1 to 10000',
    'throttles.POST /payments/webhook.burst is missing: it must be of type number',
    'provisionedConcurrency is -1: it must be a whole number from 0 to 100',
    'keepWarm is "always": it must be of type boolean',
    'reservedConcurrency.reconciler is 1: its name must be a function: "complete", "mobile-redirect", "webhook", "orders", "refunds", "close-order", "confirm", "reconcile", "publish"',
    'reservedConcurrency.publish is 0: it must be a whole number from 1 to 10000',
    'canary is 10: it must be of type boolean',
    'alarmEmails.1 is "owner": it must be an e-mail address',
    'alarmTopicArn is "payments-alarms": it must be the ARN of an SNS topic',
    'dashboard is "no": it must be of type boolean',
    'budget is -5: it must be a whole number from 0 to 1000000',
    'logRetentionDays is 8: it must be 1 or 3 or 5 or 7 or 14 or 30 or 60 or 90 or 120 or 150 or 180 or 365 or 400 or 545 or 731 or 1096 or 1827 or 2192 or 2557 or 2922 or 3288 or 3653',
    'archiveDays is -1: it must be a whole number from 0 to 3653',
    'removal is "never": it must be "keep" or "destroy"',
    'tags.aws:own is "x": its name must have 1 to 128 letters, digits, spaces and _ . : / = + - @, and not begin with "aws:"',
    'tags.team is "<script>": it must have 0 to 256 letters, digits, spaces and _ . : / = + - @, and not begin with "aws:"',
    'webhook is "any": there is no such key',
  ]);
});

test('a budget without a recipient, and more provisioned than reserved instances, are refused', () => {
  expect(
    problemsOf({ storefront, budget: 20, provisionedConcurrency: 3, reservedConcurrency: { complete: 2 } }),
  ).toEqual([
    'budget is 20: it needs a recipient: add an address to alarmEmails',
    'provisionedConcurrency is 3: it must not be above the reservedConcurrency of "complete" and "mobile-redirect"',
  ]);
  const reservedConcurrency = { complete: 3, 'mobile-redirect': 5 };
  expect(problemsOf({ storefront, provisionedConcurrency: 3, reservedConcurrency })).toEqual([]);
});

test.each([
  [undefined, 'the configuration is missing: it must be of type object'],
  ['text', 'the configuration is "text": it must be of type object'],
  [{}, 'storefront is missing: it must be of type object'],
  [
    { storefront: { origins: [] } },
    'storefront.origins is []: it must name at least one origin, like ["https://shop.example"]',
  ],
])('%j is one problem', (configuration, problem) => {
  expect(problemsOf(configuration)).toEqual([problem]);
});

test.each([
  '*',
  'https://*',
  'https://*.shop.example',
  'https://shop.example/',
  'https://shop.example/orders',
  'https://SHOP.example',
  'https://shop.example:443',
  'https://user@shop.example',
  'http://localhost:3000',
  'shop.example',
  'null',
  '',
])('%j is not an origin', (origin) => {
  expect(problemsOf({ storefront: { origins: [origin] } })).toHaveLength(1);
});

test.each([
  'http://shop.example/result',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'data:text/html,hello',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://shop.example/1',
  'https://user:password@shop.example/',
  'https://shop.example/a b',
  'https://shop.example/\nset-cookie',
  '/orders/result',
  '',
])('%j is not a result target', (url) => {
  expect(problemsOf({ storefront, results: { web: url } })).toHaveLength(1);
});

test('result targets that exceed their share of the environment variables are refused', () => {
  const results = { web: `https://shop.example/${'a'.repeat(2048)}` };
  expect(problemsOf({ storefront, results })).toEqual([expect.stringMatching(/must take at most 2048 bytes in all$/)]);
});

test('a shop name with invisible characters is refused', () => {
  expect(problemsOf({ storefront, shopName: 'shop\u202e' })).toHaveLength(1);
  expect(problemsOf({ storefront, shopName: '가'.repeat(61) })).toHaveLength(1);
  expect(readSettings({ storefront, shopName: '가'.repeat(60) }).shopName).toHaveLength(60);
});

function problemsOf(configuration: unknown, read: (value: unknown) => unknown = readSettings): readonly string[] {
  try {
    read(configuration);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

test.each([
  [{ logo: 'http://shop.example/logo.png' }, /resultPage\.logo/],
  [{ logo: "https://shop.example/l;script-src 'unsafe-inline'" }, /resultPage\.logo/],
  [{ logo: 'https://shop.example/logo.png?v=1' }, /resultPage\.logo/],
  [{ color: 'red}body{display:none' }, /resultPage\.color/],
  [{ color: '#12' }, /resultPage\.color .*must be "#rgb" or "#rrggbb"/],
  [{ color: 'green' }, /resultPage\.color/],
  [{ color: '#12345' }, /resultPage\.color/],
  [{ color: '#fff;}' }, /resultPage\.color/],
  [{ color: '#00aa55\n' }, /resultPage\.color/],
  [{ shop: 'javascript:alert(1)' }, /resultPage\.shop/],
  [{ orders: 'tel:1' }, /resultPage\.orders/],
  [{ checkout: 'https://user:pass@shop.example/' }, /resultPage\.checkout/],
  [{ support: 'data:text/html,x' }, /resultPage\.support/],
  [{ help: 'https://shop.example/' }, /resultPage\.help/],
  [{ orders: `https://shop.example/${'x'.repeat(1024)}` }, /resultPage .*1024 bytes/],
])('a result page with %j is refused', (resultPage, problem) => {
  expect(problemsOf({ storefront, resultPage }).join('\n')).toMatch(problem);
});

test('a result page may have all of its parts', () => {
  const resultPage = {
    logo: 'https://cdn.shop.example/logo.svg',
    color: '#00AA55',
    shop: 'https://shop.example/',
    orders: 'https://shop.example/orders',
    checkout: 'https://shop.example/checkout?from=result',
    support: 'mailto:help@shop.example',
  };
  expect(readSettings({ storefront, resultPage }).resultPage).toEqual(resultPage);
});

test.each(['shopapp', 'shopapp:', 'shopapp://', 'kr.shop.app://'])(
  'a result target may be a scheme alone: %s',
  (app) => {
    const settings = readSettings({ storefront: { origins: ['https://shop.example'] }, results: { app } });
    expect(settings.results).toEqual({ app: `${app.replace(/:.*/, '')}://` });
  },
);

test.each(['www.shop.example', 'https', 'javascript', 'data://'])('a result target may not be %s', (app) => {
  const configuration = { storefront: { origins: ['https://shop.example'] }, results: { app } };
  expect(() => readSettings(configuration)).toThrow(/results\.app is /);
});

test('confirm names what is wrong with its URL and its options', () => {
  const problemsOf = (confirm: unknown) => {
    try {
      readSettings({ storefront, confirm });
      return [];
    } catch (error) {
      return (error as ConfigurationError).problems;
    }
  };
  expect(readSettings({ storefront, confirm: { url: 'https://shop.example/confirm' } }).confirm).toEqual({
    url: 'https://shop.example/confirm',
    otherwise: 'approve',
  });
  expect(problemsOf({ url: 'http://shop.example/', otherwise: 'deny', seconds: 5 })).toEqual([
    'confirm.url is "http://shop.example/": it must begin with https://',
    'confirm.otherwise is "deny": it must be "approve" or "refuse"',
    'confirm.seconds is 5: there is no such key',
  ]);
  expect(problemsOf({ url: 'https://10.0.0.1/' })).toEqual([
    'confirm.url is "https://10.0.0.1/": it must be at a public address',
  ]);
  expect(problemsOf('https://shop.example/')).toEqual([
    'confirm is "https://shop.example/": it must be of type object',
  ]);
});
