/** The papers about the configuration and the construct say what the code does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { type Configuration, readSettings } from '../../infra/config.ts';
import { PROJECT_ROOT } from '../../infra/context.ts';
import type { IamportPaymentsProps } from '../../infra/iamport-payments.ts';
import { configurationPapers, withTable } from '../../scripts/configuration-docs.ts';
import { infrastructurePapers, templateIn, withInfrastructure } from '../../scripts/infrastructure-docs.ts';
import { synthesized } from './synthesized.ts';

const read = (file: string) => readFileSync(join(PROJECT_ROOT, file), 'utf8');

// A property that the construct gains or loses does not compile here until it is added or taken out.
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
  const paper = configurationPapers[language];

  test('the table of the configuration is that of the schema: npm run configuration writes it', () => {
    expect(read(paper)).toBe(withTable(language));
  });

  test('the example of a configuration is one', () => {
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(read(paper)) ?? [];
    expect(() => readSettings(JSON.parse(example))).not.toThrow();
  });

  test('what is said of a wrong value is what is said', () => {
    const [, said = 'nothing is said'] = /```text\n([\s\S]*?)\n```/.exec(read(paper)) ?? [];
    expect(() => readSettings({ storefront: { origins: ['*'] }, reversals: 'never' })).toThrow(said);
  });

  test('the picture and the rights are those of the template: npm run diagram draws them', () => {
    expect(read(infrastructurePapers[language])).toBe(withInfrastructure(language, template));
  });

  test('the paper of the construct has every property that only an app can have', () => {
    const text = read(language === 'en' ? 'docs/construct.md' : 'docs/construct.ko.md');
    const rows = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(rows).toEqual(appProperties);
  });
});

test('the stack policy keeps from being replaced what outlives the stack', () => {
  const [, denied] = JSON.parse(read('docs/stack-policy.json')).Statement;
  const { Resources } = synthesized({ storefront: { origins: ['https://shop.example'] } });
  // Of logs and queues a new one does as well, and a subscription may be removed.
  const replaceable = ['AWS::Logs::LogGroup', 'AWS::SQS::Queue'];
  const holding = Object.values(Resources).filter(
    ({ Type, UpdateReplacePolicy }) => UpdateReplacePolicy === 'Retain' && !replaceable.includes(Type),
  );
  expect(denied.Action).toEqual(['Update:Replace', 'Update:Delete']);
  expect(denied.Condition.StringEquals.ResourceType).toEqual([...new Set(holding.map(({ Type }) => Type))]);
});
