/** The docs of the configuration, the infrastructure and the construct match the code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { maxAskMs } from '../../functions/application/confirm.ts';
import { type Configuration, readStackSettings } from '../../infra/config.ts';
import { PROJECT_ROOT } from '../../infra/context.ts';
import { HTTP_FUNCTIONS } from '../../infra/function-table.ts';
import type { IamportPaymentsProps } from '../../infra/iamport-payments.ts';
import { CONFIGURATION_DOCS, withTable } from '../../scripts/configuration-docs.ts';
import { INFRASTRUCTURE_DOCS, templateIn, withInfrastructure } from '../../scripts/infrastructure-docs.ts';
import { synthesized } from './synthesized.ts';

const read = (file: string) => readFileSync(join(PROJECT_ROOT, file), 'utf8');

// An added or removed property of the construct does not compile until this list is changed.
const appProperties = Object.keys({
  ordersTable: 0,
  domain: 0,
  eventBus: 0,
  network: 0,
  encryptionKey: 0,
  alarmTopic: 0,
  bundles: 0,
} satisfies Record<Exclude<keyof IamportPaymentsProps, keyof Configuration>, 0>);

const template = templateIn(inject('assembly'));

describe.each(['en', 'ko'] as const)('in %s', (language) => {
  const doc = CONFIGURATION_DOCS[language];

  test('the table of the configuration matches the schema: npm run configuration writes it', () => {
    expect(read(doc)).toBe(withTable(language));
  });

  test('the example of a configuration is valid', () => {
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(read(doc)) ?? [];
    expect(() => readStackSettings(JSON.parse(example))).not.toThrow();
  });

  test('the quoted error of a wrong value is the actual error', () => {
    const [, quoted = 'no quoted error'] = /```text\n([\s\S]*?)\n```/.exec(read(doc)) ?? [];
    expect(() => readStackSettings({ storefront: { origins: ['*'] }, reversals: 'never' })).toThrow(quoted);
  });

  test('the diagram and the rights match the template: npm run diagram writes them', () => {
    expect(read(INFRASTRUCTURE_DOCS[language])).toBe(withInfrastructure(language, template));
  });

  test('the docs count the executions of confirmations that the shop leaves unanswered', () => {
    const { perSecond } = HTTP_FUNCTIONS.confirm.throttle;
    const executions = ((perSecond * maxAskMs) / 1000).toLocaleString('en');
    const text = read(language === 'en' ? 'docs/webhooks.md' : 'docs/webhooks.ko.md');
    expect(text).toMatch(new RegExp(`3 × N.*\\b${perSecond}(?!\\d).*(?<!\\d)${executions}(?!\\d)`));
  });

  test('the docs of the construct list every property that only an app can pass', () => {
    const text = read(language === 'en' ? 'docs/construct.md' : 'docs/construct.ko.md');
    const rows = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(rows).toEqual(appProperties);
  });
});

test('the stack policy denies the replacement of resources that outlive the stack', () => {
  const [, denied] = JSON.parse(read('docs/stack-policy.json')).Statement;
  const { Resources } = synthesized({ storefront: { origins: ['https://shop.example'] } });
  // Logs and queues may be replaced, and a subscription may be removed.
  const replaceable = ['AWS::Logs::LogGroup', 'AWS::SQS::Queue'];
  const holding = Object.values(Resources).filter(
    ({ Type, UpdateReplacePolicy }) => UpdateReplacePolicy === 'Retain' && !replaceable.includes(Type),
  );
  expect(denied.Action).toEqual(['Update:Replace', 'Update:Delete']);
  expect(denied.Condition.StringEquals.ResourceType).toEqual([
    ...new Set(holding.map(({ Type }) => Type)),
    // A new API has another address, and a new bus has none of the rules of other stacks. A table may be the shop's own.
    ...['AWS::ApiGatewayV2::Api', 'AWS::Events::EventBus', 'AWS::DynamoDB::Table'],
  ]);
});
