/** Bugs in the deliveries of webhooks. */

import type { Mutation } from './mutation.ts';

const deliver = 'functions/application/deliver.ts';
const handler = 'functions/handlers/deliver.ts';

export const deliveries: readonly Mutation[] = [
  {
    name: 'a webhook without an answer counts as delivered',
    file: deliver,
    find: `    return { fault };`,
    replace: `    return { status: 200, fault };`,
  },
  {
    name: 'a failed webhook is deleted from its queue',
    file: handler,
    find: `    if (!(await isOver(deps, record, requestId))) failed.push(record.messageId);`,
    replace: `    await isOver(deps, record, requestId);`,
  },
  {
    name: 'a webhook that was answered with 410 is sent again',
    file: deliver,
    find: `  if (status === 410) return { ...attempt, outcome: 'gone' };\n`,
    replace: ``,
  },
  {
    name: 'the interval between attempts of a webhook does not grow',
    file: deliver,
    find: `Math.min(Math.max(ageSeconds, minDelaySeconds, askedSeconds || 0), maxDelaySeconds)`,
    replace: `Math.min(Math.max(minDelaySeconds, askedSeconds || 0), maxDelaySeconds)`,
  },
  {
    name: 'a webhook is hidden for longer than SQS allows',
    file: deliver,
    find: `Math.min(Math.max(ageSeconds, minDelaySeconds, askedSeconds || 0), maxDelaySeconds)`,
    replace: `Math.max(ageSeconds, minDelaySeconds, askedSeconds || 0)`,
  },
  {
    name: 'a webhook is tried for longer than its queue keeps it',
    file: deliver,
    find: `const maxAgeSeconds = 3 * 86_400;`,
    replace: `const maxAgeSeconds = 30 * 86_400;`,
  },
  {
    name: 'a webhook that is not sent again is not moved to the dead letters',
    file: handler,
    find: `  if (isLost) await deps.deadLetters.send(record.body);\n`,
    replace: ``,
  },
];
