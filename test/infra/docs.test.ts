/** The docs of the configuration, the infrastructure and the construct match the code. */
import { readdirSync, readFileSync } from 'node:fs';
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

interface PolicyStatement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Condition?: { readonly StringEquals: { readonly ResourceType: string[] } };
}

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

test('[T518] no command of the docs lists a stack by an action that returns 100 resources at most', () => {
  const webhooks = [{ url: 'https://api.shop.example/webhooks' }];
  const { Resources } = synthesized({ storefront: { origins: ['https://shop.example'] }, webhooks });
  expect(Object.keys(Resources).length).toBeGreaterThan(100);
  const docs = readdirSync(join(PROJECT_ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  expect(docs.filter((name) => read(`docs/${name}`).includes('cloudformation describe-stack-resources'))).toEqual([]);
});

describe('the stack policy', () => {
  /** The types of resources on which the policy denies an action. */
  const deniedBy = (action: string): string[] =>
    (JSON.parse(read('docs/stack-policy.json')).Statement as PolicyStatement[]).flatMap(
      ({ Effect, Action, Condition }) =>
        Effect === 'Deny' && [Action].flat().includes(action) ? (Condition?.StringEquals.ResourceType ?? []) : [],
    );
  const storefront = { origins: ['https://shop.example'] };

  test('denies the replacement of resources that outlive the stack', () => {
    const { Resources } = synthesized({ storefront });
    // Logs and queues may be replaced, and a subscription may be removed.
    const replaceable = ['AWS::Logs::LogGroup', 'AWS::SQS::Queue'];
    const holding = Object.values(Resources).filter(
      ({ Type, UpdateReplacePolicy }) => UpdateReplacePolicy === 'Retain' && !replaceable.includes(Type),
    );
    expect(deniedBy('Update:Replace')).toEqual([
      ...new Set(holding.map(({ Type }) => Type)),
      // A new API has another address, and a new bus has none of the rules of other stacks. A table may be the shop's own.
      ...['AWS::ApiGatewayV2::Api', 'AWS::Events::EventBus', 'AWS::DynamoDB::Table'],
    ]);
  });

  test('[T496] denies no update that removes what the configuration added, and the secrets of that are kept', () => {
    const { Resources: after } = synthesized({ storefront, shopAuth: 'iam', dashboard: false, archiveDays: 0 });
    const { Resources: before } = synthesized({
      storefront,
      alarmEmails: ['owner@shop.example'],
      budget: 20,
      canary: true,
      confirm: { url: 'https://api.shop.example/confirm' },
      keepWarm: true,
      provisionedConcurrency: 1,
      webhooks: [{ url: 'https://api.shop.example/webhooks' }],
    });
    const removed = Object.entries(before).filter(([id]) => !(id in after));
    expect(removed.filter(([, { Type }]) => deniedBy('Update:Delete').includes(Type))).toEqual([]);
    const secrets = removed.filter(([, { Type }]) => Type === 'AWS::SecretsManager::Secret');
    expect(secrets.map(([, { DeletionPolicy }]) => DeletionPolicy)).toEqual(Array(3).fill('RetainExceptOnCreate'));
    // Those of every configuration, and the table of a shop.
    const always = Object.values(after).map(({ Type }) => Type);
    expect(deniedBy('Update:Delete').filter((type) => !always.includes(type))).toEqual(['AWS::DynamoDB::Table']);
  });
});
