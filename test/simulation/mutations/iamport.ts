/** Bugs in the client of Iamport. */

import type { Mutation } from './mutation.ts';

const client = 'functions/adapters/iamport/client.ts';

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
    file: client,
    find: `  if (code !== 0 || status >= 400)`,
    replace: `  if (status >= 400)`,
  },
  {
    name: 'a token that ended is never replaced',
    file: client,
    find: `    if (answer.status !== 401 || refused === mostRefusedTokens) return answer;`,
    replace: `    if (answer.status < 600) return answer;`,
  },
  {
    name: 'the amount that another system registered is overwritten',
    file: client,
    find: `    if (!isOurs) return 'conflict';\n`,
    replace: ``,
  },
  {
    name: 'an amount with the noise of fractions is unreadable',
    file: 'functions/payment/money.ts',
    find: `  return Math.abs(units - nearest) <= noise ? amountOf(nearest / unitsInOne, currency) : undefined;`,
    replace: `  return Math.abs(units - nearest) < 0 ? amountOf(nearest / unitsInOne, currency) : undefined;`,
  },
  {
    name: 'Iamport is called again while it answers 429',
    file: client,
    find: `  if (answer.status === 429) throw busy.record(name, answer.retryAfter);\n`,
    replace: `  if (answer.status === 429) throw new IamportUnavailable(\`Iamport answered 429 to \${name}\`);\n`,
  },
];
