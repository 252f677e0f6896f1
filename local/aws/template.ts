/**
 * Reads the synthesized template as CloudFormation does, with every reference resolved. A resource type that the local
 * system neither runs nor ignores on purpose is an error that names the resource.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** The resource types that the local system runs. */
const run = [
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::DynamoDB::GlobalTable',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Scheduler::Schedule',
  'AWS::SecretsManager::Secret',
] as const;

/** The resource types that the local system ignores, and why. */
const ignored: Readonly<Record<string, string>> = {
  'AWS::Budgets::Budget': 'a laptop costs nothing at AWS',
  'AWS::CloudWatch::Alarm': 'a laptop sends no alarms; the metrics are on the console',
  'AWS::CloudWatch::Dashboard': 'as the alarms',
  'AWS::Events::Archive': 'the local system keeps its events only while it runs',
  'AWS::CodeDeploy::Application': 'the local system runs the newest version only',
  'AWS::CodeDeploy::DeploymentGroup': 'as the application',
  'AWS::IAM::Role': 'functions run as the user who started them; tests of the template check the permissions',
  'AWS::IAM::Policy': 'as the roles',
  'AWS::Lambda::Alias': 'calls of the alias go to its function; there is no provisioned concurrency',
  'AWS::Lambda::EventInvokeConfig': 'the local system does not retry a failed scheduled invocation either',
  'AWS::Lambda::Version': 'as the alias',
  'AWS::Lambda::Permission': 'the local gateway may call every function',
  'AWS::Logs::LogGroup': 'functions log to the console',
  'AWS::Logs::MetricFilter': 'there are no metrics',
  'AWS::SNS::Subscription': 'as the alarms',
  'AWS::SNS::Topic': 'as the alarms',
  'AWS::SNS::TopicPolicy': 'as the alarms',
  'AWS::SQS::Queue': 'the local queues are started for the functions that use them',
  'AWS::SQS::QueuePolicy': 'as the queue',
  'AWS::CDK::Metadata': 'metadata of the CDK',
};

export type RunType = (typeof run)[number];

const account = '000000000000';
export const region = 'ap-northeast-2';

export class CloudAssembly {
  readonly #directory: string;
  readonly #resources: Template['Resources'];

  /** @param directory the output of `cdk synth`, usually `cdk.out` */
  static read(directory: string): CloudAssembly {
    const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
    const stacks = Object.values<{ type: string; properties: { templateFile: string } }>(manifest.artifacts).filter(
      ({ type }) => type === 'aws:cloudformation:stack',
    );
    const [stack] = stacks;
    if (!stack || stacks.length > 1) throw new Error(`The local system runs one stack, and there are ${stacks.length}`);
    const template = JSON.parse(readFileSync(join(directory, stack.properties.templateFile), 'utf8'));
    return new CloudAssembly(directory, template);
  }

  /** @throws Error that names every resource of an unknown type */
  constructor(directory: string, { Resources }: Template) {
    this.#directory = directory;
    this.#resources = Resources;
    const known = new Set<string>([...run, ...Object.keys(ignored)]);
    const unknown = Object.entries(Resources).filter(([, { Type }]) => !known.has(Type));
    if (unknown.length > 0) {
      const names = unknown.map(([id, { Type }]) => `${id} (${Type})`).join(', ');
      throw new Error(`The local system does not support: ${names}. Add the resource types to local/aws/template.ts.`);
    }
  }

  /** The resources of a type, with all references resolved. */
  ofType(type: RunType): { readonly id: string; readonly properties: Readonly<Record<string, unknown>> }[] {
    return Object.entries(this.#resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties = {} }]) => ({ id, properties: this.#resolved(Properties) as Record<string, unknown> }));
  }

  /** The directory of a function's code. @param key the `S3Key` of its `Code`: the hash of the asset, zipped */
  codeDirectory(key: string): string {
    return join(this.#directory, `asset.${key.replace(/\.zip$/, '')}`);
  }

  /** The value of `Ref` for a secret. */
  arnOfSecret(id: string): string {
    return `arn:aws:secretsmanager:${region}:${account}:secret:${id}`;
  }

  #resolved(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.#resolved(element));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [name = '', argument] = entries[0] ?? [];
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) return this.#intrinsic(name, argument);
    return Object.fromEntries(entries.map(([key, inner]) => [key, this.#resolved(inner)]));
  }

  #intrinsic(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return this.#reference(String(argument));
      case 'Fn::GetAtt': {
        const [id = '', attribute = ''] = argument as string[];
        return this.#attribute(id, attribute);
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown[]];
        return parts.map((part) => String(this.#resolved(part))).join(separator);
      }
      case 'Fn::Sub': {
        const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [
          string,
          Record<string, unknown>,
        ];
        return text.replace(/\$\{(!?)([^}]+)\}/g, (_whole, isLiteral: string, word: string) => {
          if (isLiteral) return `\${${word}}`;
          if (Object.hasOwn(variables, word)) return String(this.#resolved(variables[word]));
          const [id = '', attribute] = word.split('.', 2);
          return attribute ? this.#attribute(id, attribute) : this.#reference(word);
        });
      }
      default:
        throw new Error(`The local system does not resolve ${name} yet`);
    }
  }

  #reference(id: string): string {
    const pseudo: Record<string, string> = {
      'AWS::Region': region,
      'AWS::AccountId': account,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': 'local',
    };
    const found = pseudo[id];
    if (found) return found;
    const resource = this.#resources[id];
    if (!resource) throw new Error(`The template refers to ${id}, which it does not have`);
    if (resource.Type === 'AWS::Lambda::Alias') {
      return this.#attribute(String(this.#resolved(resource.Properties?.FunctionName)), 'Arn');
    }
    return resource.Type === 'AWS::SecretsManager::Secret' ? this.arnOfSecret(id) : id;
  }

  /** Attributes are only passed on, so a unique name is enough. Only the ARN is read back, by `idOfArn`. */
  #attribute(id: string, attribute: string): string {
    const service = this.#resources[id]?.Type.split('::')[1]?.toLowerCase();
    if (!service) throw new Error(`The template refers to ${id}, which it does not have`);
    return `arn:aws:${service}:${region}:${account}:${id}${attribute === 'Arn' ? '' : `#${attribute}`}`;
  }
}

/** The logical id in an ARN that this file made. */
export const idOfArn = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);
