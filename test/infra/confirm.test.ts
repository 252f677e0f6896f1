/** What the template gives the function `confirm` where the shop is asked before an approval: by URL, or as a function. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Alias, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { afterAll, describe, expect, test } from 'vitest';
import { type Configuration, ConfigurationError } from '../../infra/config.ts';
import { IamportPayments } from '../../infra/iamport-payments.ts';
import {
  ofType,
  referred,
  type SynthesizedTemplate,
  shortName,
  synthesized,
  writeEmptyBundles,
} from './synthesized.ts';

const directory = mkdtempSync(join(tmpdir(), 'confirm-'));
writeEmptyBundles(directory);
afterAll(() => rmSync(directory, { recursive: true }));

const storefront = { origins: ['https://shop.example'] };
const url = 'https://api.shop.example/confirm?key=1';
const byUrl = (otherwise?: 'approve' | 'refuse'): Configuration => ({
  storefront,
  confirm: { url, ...(otherwise && { otherwise }) },
});

function shopStack(configuration: Configuration = { storefront }) {
  const stack = new Stack(new App({ outdir: mkdtempSync(join(directory, 'cdk-')), analyticsReporting: false }), 'Shop');
  const payments = new IamportPayments(stack, 'Payments', { ...configuration, bundles: directory });
  const stock = new LambdaFunction(stack, 'Stock', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => ({ ok: true });'),
  });
  return { stack, payments, stock, template: () => Template.fromStack(stack).toJSON() as SynthesizedTemplate };
}

/** The variables about the confirmation, by function. */
function variables(template: SynthesizedTemplate) {
  const found = Object.entries(ofType(template, 'AWS::Lambda::Function')).flatMap(([name, { Properties }]) => {
    const { Variables = {} } = (Properties.Environment ?? {}) as { Variables?: Record<string, unknown> };
    const own = Object.entries(Variables).filter(([key]) => key.startsWith('CONFIRM_'));
    return own.length > 0 ? [[name, Object.fromEntries(own)]] : [];
  });
  return Object.fromEntries(found) as Record<string, Record<string, unknown>>;
}

/** The roles with a right on a resource whose short name contains this. */
function rolesWithRightOn(template: SynthesizedTemplate, resource: string) {
  return Object.entries(ofType(template, 'AWS::IAM::Role')).flatMap(([role, { Properties }]) => {
    const policies = (Properties.Policies ?? []) as {
      PolicyDocument: { Statement: { Action: string; Resource: unknown }[] };
    }[];
    return policies
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .filter(({ Resource }) => referred(Resource).some((name) => name.includes(resource)))
      .map(({ Action }) => [role, Action]);
  });
}

const alarmsOf = (template: SynthesizedTemplate) =>
  Object.keys(ofType(template, 'AWS::CloudWatch::Alarm')).filter((name) => /confirm/i.test(name));

describe('a URL', () => {
  const template = synthesized(byUrl());
  const without = synthesized({ storefront });

  test('adds a secret, an alarm, and changes only the function and the role of confirm', () => {
    const added = Object.entries(template.Resources).filter(([id]) => !Object.hasOwn(without.Resources, id));
    expect(added.map(([id, { Type }]) => `${Type} ${shortName(id)}`).sort()).toEqual([
      'AWS::CloudWatch::Alarm Alarmsconfirmunanswered',
      'AWS::SecretsManager::Secret ConfirmSecret',
    ]);
    const changed = Object.keys(without.Resources).filter(
      (id) => JSON.stringify(template.Resources[id]) !== JSON.stringify(without.Resources[id]),
    );
    expect(changed.map(shortName).sort()).toEqual(['FunctionsConfirmFunction', 'FunctionsConfirmRole']);
    expect([variables(without), alarmsOf(without)]).toEqual([{}, []]);
  });

  test('is in the environment of confirm alone, without the switches of the local system', () => {
    expect(variables(template)).toEqual({
      FunctionsConfirmFunction: {
        CONFIRM_URL: url,
        CONFIRM_SECRET_ARN: { Ref: expect.stringContaining('ConfirmSecret') },
        CONFIRM_OTHERWISE: 'approve',
      },
    });
    expect(variables(synthesized(byUrl('refuse'))).FunctionsConfirmFunction).toMatchObject({
      CONFIRM_OTHERWISE: 'refuse',
    });
  });

  test('has a secret that only the role of confirm may read', () => {
    expect(rolesWithRightOn(template, 'ConfirmSecret')).toEqual([
      ['FunctionsConfirmRole', 'secretsmanager:GetSecretValue'],
    ]);
    expect(ofType(template, 'AWS::IAM::Policy')).toEqual({});
    expect(ofType(template, 'AWS::SecretsManager::Secret').ConfirmSecret?.Properties).toMatchObject({
      Description: expect.stringContaining('Signs confirmations to api.shop.example:'),
      GenerateSecretString: { GenerateStringKey: 'current', PasswordLength: 44, ExcludePunctuation: true },
    });
    expect(JSON.stringify(template.Outputs)).toContain('The secret that signs confirmations to api.shop.example');
    expect(JSON.stringify(template.Outputs)).not.toContain('key=1');
  });

  test('has an output for the secret in the construct', () => {
    expect(shopStack(byUrl()).payments.confirmSecret).toBeDefined();
    expect(shopStack().payments.confirmSecret).toBeUndefined();
  });
});

describe('payments.onConfirm', () => {
  test('lets only the role of confirm invoke the function', () => {
    const { payments, stock, template } = shopStack();
    payments.onConfirm(stock, { otherwise: 'refuse' });
    const made = template();
    expect(variables(made)).toEqual({
      FunctionsConfirmFunction: {
        CONFIRM_FUNCTION_ARN: { 'Fn::GetAtt': [expect.stringMatching(/^Stock/), 'Arn'] },
        CONFIRM_OTHERWISE: 'refuse',
      },
    });
    expect(rolesWithRightOn(made, 'Stock')).toEqual([['FunctionsConfirmRole', 'lambda:InvokeFunction']]);
    expect(ofType(made, 'AWS::IAM::Policy')).toEqual({});
    expect(alarmsOf(made)).toEqual(['Alarmsconfirmunanswered']);
  });

  test('takes an alias, and approves by default without an answer', () => {
    const { stack, payments, stock, template } = shopStack();
    payments.onConfirm(new Alias(stack, 'Live', { aliasName: 'live', version: stock.currentVersion }));
    const { FunctionsConfirmFunction: confirm = {} } = variables(template());
    expect(confirm.CONFIRM_OTHERWISE).toBe('approve');
    expect(referred(confirm.CONFIRM_FUNCTION_ARN)).toEqual(['Live']);
  });

  test('refuses a wrong option by name', () => {
    const { payments, stock } = shopStack();
    expect(() => payments.onConfirm(stock, { otherwise: 'allow' as 'approve' })).toThrow(
      new ConfigurationError(['onConfirm.otherwise is "allow": it must be "approve" or "refuse"']),
    );
    expect(() => payments.onConfirm(stock, { timeout: 5 } as object)).toThrow(
      new ConfigurationError(['onConfirm.timeout is 5: there is no such key']),
    );
  });

  test('throws when a URL or another function is asked already', () => {
    const { payments, stock } = shopStack(byUrl());
    expect(() => payments.onConfirm(stock)).toThrow(
      new ConfigurationError([
        `payments.onConfirm(Shop/Stock) would ask the shop before an approval, and so does confirm.url, "${url}": only one can be asked, so remove the other`,
      ]),
    );
    const twice = shopStack();
    twice.payments.onConfirm(twice.stock);
    expect(() => twice.payments.onConfirm(twice.stock)).toThrow('so does payments.onConfirm(Shop/Stock): only one');
  });
});
