/** Reads the synthesized template as CloudFormation does; an unsupported resource is an error that names it. */

import { describe, expect, inject, it } from 'vitest';
import { Gateway } from '../../../local/aws/gateway.ts';
import { CloudAssembly, type Resource } from '../../../local/aws/template.ts';

const assemblyOf = (Resources: Record<string, Resource>) => new CloudAssembly('/nowhere', { Resources });
/** A placeholder of `Fn::Sub`. */
const at = (word: string) => `\${${word}}`;
const table: Resource = { Type: 'AWS::DynamoDB::GlobalTable' };

/** @returns the resolved value of an environment variable of a function in a template */
function variable(value: unknown): unknown {
  const Properties = { Environment: { Variables: { X: value } } };
  const assembly = assemblyOf({
    Orders: table,
    Keys: { Type: 'AWS::SecretsManager::Secret' },
    HttpHandler: { Type: 'AWS::Lambda::Function', Properties },
  });
  const [lambda] = assembly.ofType('AWS::Lambda::Function');
  return (lambda?.properties as typeof Properties | undefined)?.Environment.Variables.X;
}

describe('a resource', () => {
  it('of an unknown type is an error that names each of them with its type', () => {
    const resources = {
      Orders: table,
      Stream: { Type: 'AWS::Kinesis::Stream' },
      Every5: { Type: 'AWS::Pipes::Pipe' },
    };
    expect(() => assemblyOf(resources)).toThrow(/Stream \(AWS::Kinesis::Stream\), Every5 \(AWS::Pipes::Pipe\)/);
  });

  it('of the deployed template is always of a known type', () => {
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
      'in a text with its own variables',
      { 'Fn::Sub': [`${at('Mine')}-${at('Orders')}`, { Mine: { Ref: 'AWS::Partition' } }] },
      'aws-Orders',
    ],
    ['that is escaped stays literal', { 'Fn::Sub': at('!Literal') }, at('Literal')],
    ['deep in lists', [{ a: [{ Ref: 'Orders' }] }], [{ a: ['Orders'] }]],
  ])('%s', (_what, value, expected) => {
    expect(variable(value)).toEqual(expected);
  });

  it.each([
    ['to a missing resource', { Ref: 'Gone' }, /refers to Gone/],
    ['to an attribute of a missing resource', { 'Fn::GetAtt': ['Gone', 'Arn'] }, /refers to Gone/],
    ['in a text to a missing resource', { 'Fn::Sub': at('Gone.Arn') }, /refers to Gone/],
    ['by an unknown function', { 'Fn::ImportValue': 'x' }, /does not resolve Fn::ImportValue/],
  ])('%s is an error that names it', (_what, value, error) => {
    expect(() => variable(value)).toThrow(error);
  });
});

describe('an API', () => {
  const api = (route: object, integration: object) => {
    const of = (Type: string, Properties: object) => ({ Type, Properties: Properties as Record<string, unknown> });
    const proxy = { IntegrationType: 'AWS_PROXY', PayloadFormatVersion: '2.0', IntegrationUri: 'arn:HttpHandler' };
    return assemblyOf({
      Way: of('AWS::ApiGatewayV2::Integration', { ...proxy, ...integration }),
      Entry: of('AWS::ApiGatewayV2::Route', { RouteKey: 'GET /x', Target: 'integrations/Way', ...route }),
    });
  };
  const gatewayOf = (assembly: CloudAssembly) => new Gateway(assembly, new Map(), () => undefined);

  it('with open or signed routes is served', () => {
    expect(gatewayOf(api({}, {})).routes).toEqual([{ key: 'GET /x', functionId: 'HttpHandler', signed: false }]);
    expect(gatewayOf(api({ AuthorizationType: 'AWS_IAM' }, {})).routes).toMatchObject([{ signed: true }]);
  });

  it.each([
    ['with an unknown authorizer', { AuthorizationType: 'JWT' }, {}, /authorization JWT of the route GET \/x/],
    ['without an integration', { Target: 'integrations/Gone' }, {}, /GET \/x has no integration/],
    ['of another payload', {}, { PayloadFormatVersion: '1.0' }, /payload 2.0 only, not Way/],
    ['with an integration other than a function', {}, { IntegrationType: 'HTTP_PROXY' }, /not Way/],
  ])('%s is an error, not an open route', (_what, route, integration, error) => {
    expect(() => gatewayOf(api(route, integration))).toThrow(error);
  });
});
