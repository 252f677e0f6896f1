/** Bugs in the client of Iamport. */

import type { Mutation } from './mutation.ts';

const client = 'functions/adapters/iamport/client.ts';
const httpClient = 'functions/adapters/iamport/http-client.ts';

export const iamport: readonly Mutation[] = [
  {
    name: 'a cancel goes without its checksum',
    file: client,
    find: `    checksum: major(checksum),`,
    replace: `    checksum: undefined as unknown as number, unused: checksum,`,
  },
  {
    name: 'a cancel goes without its amount',
    file: client,
    find: `    amount: major(amount),`,
    replace: `    amount: undefined as unknown as number, unused: amount,`,
  },
  {
    name: 'amounts go to Iamport a hundred times too large',
    file: 'functions/payment/money.ts',
    find: `amount / 10 ** digitsOf(currency)`,
    replace: `amount * 10 ** digitsOf(currency)`,
  },
  {
    name: 'a code that is not 0 is taken for success',
    file: httpClient,
    find: `  if (code !== 0 || status >= 400)`,
    replace: `  if (status >= 400)`,
  },
  {
    name: 'an expired token is never replaced',
    file: httpClient,
    find: `        if (response.status !== 401 || refused === maxRefusedTokens) return response;`,
    replace: `        if (response.status < 600) return response;`,
  },
  {
    name: 'the amount that another system registered is overwritten',
    file: client,
    find: `    if (!isOurs) return 'conflict';\n`,
    replace: ``,
  },
  {
    name: 'an amount with a rounding error is unreadable',
    file: 'functions/payment/money.ts',
    find: `  return Math.abs(units - nearest) <= noise ? parseAmount(nearest / unitsInOne, currency) : undefined;`,
    replace: `  return Math.abs(units - nearest) < 0 ? parseAmount(nearest / unitsInOne, currency) : undefined;`,
  },
  {
    name: 'Iamport is called again while it answers 429',
    file: httpClient,
    find: `    if (response.status === 429) throw backoff.record(name, response.retryAfter);\n`,
    replace: `    if (response.status === 429) throw new IamportUnavailable(\`Iamport returned 429 to \${name}\`);\n`,
  },
];
