/**
 * A fake of EventBridge's rules and of SQS, as far as `verify` calls them. A rule sends to a queue only if its pattern matches the
 * event, the queue is its target, and the queue's policy lets the rule send.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A rule or a queue, for the tests to look at. */
interface Rule {
  readonly arn: string;
  readonly pattern: Pattern;
  readonly targets: Map<string, string>;
}
interface Queue {
  readonly attributes: Readonly<Record<string, string>>;
  readonly bodies: string[];
  /** How many events of the bus were already matched. */
  seen: number;
}
type Pattern = { readonly [key: string]: Pattern | readonly unknown[] };

export const fakeBus = 'arn:aws:events:ap-northeast-2:000000000000:event-bus/shop';
const queueArn = (name: string) => `arn:aws:sqs:ap-northeast-2:000000000000:${name}`;

/** @param events of the bus, oldest first */
export async function startEventRules(events: () => readonly object[]) {
  const rules = new Map<string, Rule>();
  const queues = new Map<string, Queue>();
  /** The names of the called actions, such as `events:PutRule`. */
  const called: string[] = [];
  /** Rights that the caller lacks. */
  const denied = new Set<string>();
  /** Actions that fail with a text; `target`: PutTargets succeeds, and the target in it fails. */
  const failing = new Map<string, string>();
  /** Called before each action. */
  const hooks = { before: (_action: string): void | Promise<void> => undefined };

  const found = <Value>(of: Map<string, Value>, name: string): Value => {
    const value = of.get(name);
    if (value === undefined) throw new Error(`ResourceNotFoundException: ${name}`);
    return value;
  };
  const actions: Readonly<Record<string, (parameters: Record<string, string>) => object>> = {
    'events:PutRule': ({ Name = '', EventBusName, EventPattern = '' }) => {
      const arn = `${EventBusName?.replace(':event-bus/', ':rule/')}/${Name}`;
      rules.set(Name, { arn, pattern: JSON.parse(EventPattern), targets: new Map() });
      return { RuleArn: arn };
    },
    'events:PutTargets': ({ Rule = '', Targets = [] }) => {
      const ErrorMessage = failing.get('target');
      if (ErrorMessage) return { FailedEntryCount: 1, FailedEntries: [{ TargetId: 'queue', ErrorMessage }] };
      for (const { Id, Arn } of Targets as { Id: string; Arn: string }[]) found(rules, Rule).targets.set(Id, Arn);
      // An event of before is not delivered.
      for (const queue of queues.values()) queue.seen = events().length;
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    'events:RemoveTargets': ({ Rule = '', Ids = [] }) => {
      for (const id of Ids as string[]) found(rules, Rule).targets.delete(id);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    'events:DeleteRule': ({ Name = '' }) => {
      if (rules.get(Name)?.targets.size) throw new Error("Rule can't be deleted since it has targets.");
      rules.delete(Name);
      return {};
    },
    'sqs:CreateQueue': ({ QueueName = '', Attributes }) => {
      queues.set(QueueName, { attributes: Object(Attributes), bodies: [], seen: events().length });
      return { QueueUrl: `${endpoint()}/000000000000/${QueueName}` };
    },
    'sqs:ReceiveMessage': ({ QueueUrl = '' }) => {
      const name = QueueUrl.split('/').at(-1) ?? '';
      const queue = found(queues, name);
      for (const event of events().slice(queue.seen)) {
        queue.seen += 1;
        const isSent = [...rules.values()].some(
          ({ arn, pattern, targets }) =>
            [...targets.values()].includes(queueArn(name)) &&
            matches(pattern, event) &&
            letsSend(queue.attributes.Policy, queueArn(name), arn),
        );
        if (isSent) queue.bodies.push(JSON.stringify({ version: '0', ...event }));
      }
      return {
        Messages: queue.bodies.splice(0).map((Body, index) => ({ MessageId: index, ReceiptHandle: index, Body })),
      };
    },
    'sqs:DeleteQueue': ({ QueueUrl = '' }) => {
      if (!queues.delete(QueueUrl.split('/').at(-1) ?? '')) throw new Error('QueueDoesNotExist');
      return {};
    },
  };

  const server = createServer(async (request, response) => {
    const parameters = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const [service = '', action = ''] = String(request.headers['x-amz-target']).split('.');
    const right = `${service === 'AWSEvents' ? 'events' : 'sqs'}:${action}`;
    await hooks.before(right);
    called.push(right);
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    const refuse = (__type: string, message: string) => {
      response.statusCode = 400;
      response.end(JSON.stringify({ __type, message }));
    };
    if (denied.has(right)) {
      refuse(
        'AccessDeniedException',
        `User: arn:aws:iam::000000000000:user/operator is not authorized to perform: ${right}`,
      );
      return;
    }
    try {
      const fault = failing.get(right);
      if (fault) throw new Error(fault);
      response.end(JSON.stringify(actions[right]?.(parameters) ?? {}));
    } catch (error) {
      refuse('ValidationException', (error as Error).message);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ rules, queues, called, denied, failing, hooks, endpoint: endpoint() },
    /** The names of the rules and queues. */
    left: () => [...rules.keys(), ...queues.keys()],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type EventRules = Awaited<ReturnType<typeof startEventRules>>;

/** EventBridge's patterns, as far as lists of values and nested objects. */
const matches = (pattern: Pattern, event: object): boolean =>
  Object.entries(pattern).every(([key, wanted]) => {
    const value: unknown = Object(event)[key];
    return Array.isArray(wanted) ? wanted.includes(value) : matches(wanted as Pattern, Object(value));
  });

function letsSend(policy = '{}', queue: string, rule: string): boolean {
  const { Statement = [] } = JSON.parse(policy) as { Statement?: Record<string, unknown>[] };
  return Statement.some(
    ({ Effect, Principal, Action, Resource, Condition }) =>
      Effect === 'Allow' &&
      Object(Principal).Service === 'events.amazonaws.com' &&
      Action === 'sqs:SendMessage' &&
      Resource === queue &&
      Object(Object(Condition).ArnEquals)['aws:SourceArn'] === rule,
  );
}
