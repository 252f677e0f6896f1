/** The synthesized template, read as CloudFormation would read it; what is not known is an error that names it. */

import { describe, expect, inject, it } from 'vitest';
import { Gateway } from '../../../local/aws/gateway.ts';
import { CloudAssembly, type Resource } from '../../../local/aws/template.ts';

const assemblyOf = (Resources: Record<string, Resource>) => new CloudAssembly('/nowhere', { Resources });
/** A placeholder of `Fn::Sub`. */
const at = (word: string) => `\${${word}}`;
const table: Resource = { Type: 'AWS::DynamoDB::GlobalTable' };

/** What a function of the template is told, for one variable of this value. */
function variable(value: unknown): unknown {
  const Properties = { Environment: { Variables: { X: value } } };
  const assembly = assemblyOf({
    Orders: table,
    Keys: { Type: 'AWS::SecretsManager::Secret' },
    Door: { Type: 'AWS::Lambda::Function', Properties },
  });
  const [door] = assembly.ofType('AWS::Lambda::Function');
  return (door?.properties as typeof Properties | undefined)?.Environment.Variables.X;
}

describe('a resource', () => {
  it('that the local system does not know is named with its type, and so is every other', () => {
    const resources = {
      Orders: table,
      Stream: { Type: 'AWS::Kinesis::Stream' },
      Every5: { Type: 'AWS::Events::Rule' },
    };
    expect(() => assemblyOf(resources)).toThrow(/Stream \(AWS::Kinesis::Stream\), Every5 \(AWS::Events::Rule\)/);
  });

  it('of the template that deploys is known, each', () => {
    const assembly = CloudAssembly.read(inject('assembly'));
    expect(assembly.ofType('AWS::DynamoDB::GlobalTable')).not.toHaveLength(0);
    expect(assembly.ofType('AWS::Lambda::Function')).not.toHaveLength(0);
  });
});

describe('a reference', () => {
  it.each([
    ['to a table is its name', { Ref: 'Orders' }, 'Orders'],
    ['to a secret is its ARN', { Ref: 'Keys' }, 'arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:Keys'],
    ['to the region is Seoul', { Ref: 'AWS::Region' }, 'ap-northeast-2'],
    ['to an ARN', { 'Fn::GetAtt': ['Orders', 'Arn'] }, 'arn:aws:dynamodb:ap-northeast-2:000000000000:Orders'],
    ['in a join', { 'Fn::Join': ['-', ['a', { Ref: 'Orders' }, { Ref: 'AWS::AccountId' }]] }, 'a-Orders-000000000000'],
    [
      'in a text',
      { 'Fn::Sub': `https://${at('AWS::Region')}/${at('Orders')}/${at('Orders.Arn')}` },
      'https://ap-northeast-2/Orders/arn:aws:dynamodb:ap-northeast-2:000000000000:Orders',
    ],
    [
      'in a text with names of its own',
      { 'Fn::Sub': [`${at('Mine')}-${at('Orders')}`, { Mine: { Ref: 'AWS::Partition' } }] },
      'aws-Orders',
    ],
    ['that is only written like one', { 'Fn::Sub': at('!Literal') }, at('Literal')],
    ['deep in lists', [{ a: [{ Ref: 'Orders' }] }], [{ a: ['Orders'] }]],
  ])('%s', (_what, value, expected) => {
    expect(variable(value)).toEqual(expected);
  });

  it.each([
    ['to nothing', { Ref: 'Gone' }, /refers to Gone/],
    ['to an attribute of nothing', { 'Fn::GetAtt': ['Gone', 'Arn'] }, /refers to Gone/],
    ['in a text to nothing', { 'Fn::Sub': at('Gone.Arn') }, /refers to Gone/],
    ['by a function that is not known', { 'Fn::ImportValue': 'x' }, /does not resolve Fn::ImportValue/],
  ])('%s is an error that names it', (_what, value, error) => {
    expect(() => variable(value)).toThrow(error);
  });
});

describe('an API', () => {
  const api = (route: object, integration: object) => {
    const of = (Type: string, Properties: object) => ({ Type, Properties: Properties as Record<string, unknown> });
    const proxy = { IntegrationType: 'AWS_PROXY', PayloadFormatVersion: '2.0', IntegrationUri: 'arn:Door' };
    return assemblyOf({
      Way: of('AWS::ApiGatewayV2::Integration', { ...proxy, ...integration }),
      Entry: of('AWS::ApiGatewayV2::Route', { RouteKey: 'GET /x', Target: 'integrations/Way', ...route }),
    });
  };
  const gatewayOf = (assembly: CloudAssembly) => new Gateway(assembly, new Map(), () => undefined);

  it('whose routes are open or signed is served', () => {
    expect(gatewayOf(api({}, {})).routes).toEqual([{ key: 'GET /x', functionId: 'Door', signed: false }]);
    expect(gatewayOf(api({ AuthorizationType: 'AWS_IAM' }, {})).routes).toMatchObject([{ signed: true }]);
  });

  it.each([
    [
      'with an authorizer that is not known',
      { AuthorizationType: 'JWT' },
      {},
      /authorization JWT of the route GET \/x/,
    ],
    ['that leads nowhere', { Target: 'integrations/Gone' }, {}, /GET \/x leads to no integration/],
    ['of another payload', {}, { PayloadFormatVersion: '1.0' }, /payload 2.0 only, not Way/],
    ['to something else than a function', {}, { IntegrationType: 'HTTP_PROXY' }, /not Way/],
  ])('%s is an error, not an open door', (_what, route, integration, error) => {
    expect(() => gatewayOf(api(route, integration))).toThrow(error);
  });
});
