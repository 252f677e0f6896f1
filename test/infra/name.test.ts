/** Two deployments in one account and region, and one with a domain of the shop's own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, expect, test } from 'vitest';
import type { StackConfiguration } from '../../infra/config.ts';
import { IamportPayments } from '../../infra/iamport-payments.ts';
import { PaymentsStack } from '../../infra/stack.ts';
import { VERSION } from '../../infra/version.ts';
import { type SynthesizedTemplate, writeEmptyBundles } from './synthesized.ts';

const scratch = mkdtempSync(join(tmpdir(), 'name-'));
const bundles = join(scratch, 'bundles');
mkdirSync(bundles);
writeEmptyBundles(bundles);
afterAll(() => rmSync(scratch, { recursive: true }));
const app = () => new App({ outdir: mkdtempSync(join(scratch, 'cdk-')), analyticsReporting: false });

const storefront = { origins: ['https://shop.example'] };
const certificateArn = 'arn:aws:acm:ap-northeast-2:123456789012:certificate/0a1b2c3d';
const full = (name: string): StackConfiguration => ({
  storefront,
  name,
  domain: { name: `${name.toLowerCase()}.shop.example`, certificateArn, hostedZoneId: 'Z0123456789ABCDEFGHIJ' },
  provisionedConcurrency: 1,
  canary: true,
  alarmEmails: ['owner@shop.example'],
  webhooks: [{ url: 'https://api.shop.example/webhooks' }],
});
const templateOf = (stack: Stack) => Template.fromStack(stack).toJSON() as SynthesizedTemplate;

/**
 * An alias of a function, the stage of an API and a policy of a role have names in their parent; an alarm names its metric, an archive
 * the key that encrypts it, and a deployment group a configuration of AWS.
 */
const NOT_OF_THE_RESOURCE = [
  'AWS::ApiGatewayV2::Stage StageName',
  'AWS::CloudWatch::Alarm MetricName',
  'AWS::CodeDeploy::DeploymentGroup DeploymentConfigName',
  'AWS::Events::Archive KmsKeyIdentifier',
  'AWS::IAM::Policy PolicyName',
  'AWS::Lambda::Alias Name',
];

/** The names that the template chooses, by resource type and property. CloudFormation generates the others. */
function namesIn({ Resources }: SynthesizedTemplate): string[] {
  return Object.values(Resources).flatMap(({ Type, Properties = {} }) =>
    Object.entries(Properties)
      .filter(([property]) => /(?:^|[a-z])(?:Name|Identifier)$/.test(property))
      .map(([property, value]) => [`${Type} ${property}`, JSON.stringify(value)] as const)
      .filter(([property, value]) => !NOT_OF_THE_RESOURCE.includes(property) && isChosen(value))
      .map(([property, value]) => `${property} ${value}`),
  );
}

/** A reference to a resource of the stack, or to the id of the stack, is another in each stack. */
function isChosen(value: string): boolean {
  const references = [...value.matchAll(/"(?:Ref|Fn::GetAtt)":\[?"([^"]+)"/g)].map(([, name = '']) => name);
  return references.every((name) => name.startsWith('AWS::') && name !== 'AWS::StackId');
}

test('two names in one account and region share no name of a resource', () => {
  const [production, staging] = ['ShopProduction', 'ShopStaging'].map((name) =>
    namesIn(templateOf(new PaymentsStack(app(), { ...full(name), bundles }))),
  );
  expect(production?.map((name) => name.split(' ').slice(0, 2).join(' ')).sort()).toEqual([
    'AWS::ApiGatewayV2::Api Name',
    'AWS::ApiGatewayV2::DomainName DomainName',
    'AWS::CloudWatch::Dashboard DashboardName',
    'AWS::Events::EventBus Name',
    'AWS::Route53::RecordSet Name',
  ]);
  expect(production?.filter((name) => staging?.includes(name))).toEqual([]);
});

test('stacks of an app with other stack names share none either', () => {
  const [production, staging] = ['shop-production', 'shop-staging'].map((stackName) => {
    const stack = new Stack(app(), 'Shop', { stackName });
    new IamportPayments(stack, 'Payments', { storefront, bundles });
    return namesIn(templateOf(stack));
  });
  expect(production?.filter((name) => staging?.includes(name))).toEqual([]);
  expect(production).toContain('AWS::Events::EventBus Name "shop-production-Payments"');
});

test('the access log has a name that needs no place in the resource policy of the account', () => {
  const template = Template.fromStack(new PaymentsStack(app(), { storefront, name: 'ShopStaging', bundles }));
  template.hasResourceProperties('AWS::Logs::LogGroup', {
    LogGroupName: {
      'Fn::Join': [
        '',
        [
          '/aws/vendedlogs/apis/ShopStaging-Payments-',
          { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] },
        ],
      ],
    },
  });
});

test('a domain of the configuration gets its records from the hosted zone, or an output for a CNAME', () => {
  const stack = (domain: StackConfiguration['domain']) =>
    Template.fromStack(new PaymentsStack(app(), { storefront, domain, bundles }));
  const hosted = stack({ name: 'pay.shop.example', certificateArn, hostedZoneId: 'Z0123456789ABCDEFGHIJ', only: true });
  hosted.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
    DomainName: 'pay.shop.example',
    DomainNameConfigurations: [{ CertificateArn: certificateArn }],
  });
  hosted.hasResourceProperties('AWS::Route53::RecordSet', {
    Name: 'pay.shop.example.',
    HostedZoneId: 'Z0123456789ABCDEFGHIJ',
  });
  hosted.hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
  hosted.hasOutput('WebhookUrl', { Value: 'https://pay.shop.example/payments/webhook' });
  expect(hosted.findOutputs('DomainTarget')).toEqual({});

  const elsewhere = stack({ name: 'pay.shop.example', certificateArn });
  elsewhere.resourceCountIs('AWS::Route53::RecordSet', 0);
  elsewhere.hasOutput('DomainTarget', { Description: 'The target of the CNAME record of pay.shop.example.' });
});

test('the version is in an output and in the environment of every function', () => {
  const { Resources, Outputs } = templateOf(new PaymentsStack(app(), { ...full('Shop'), bundles }));
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
  expect(Outputs.Version?.Value).toBe(VERSION);
  const functions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  expect(functions.length).toBeGreaterThan(9);
  for (const { Properties } of functions) expect(Properties).toMatchObject({ Environment: { Variables: { VERSION } } });
});
