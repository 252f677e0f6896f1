/**
 * The synthesized template, read as CloudFormation would: what it has, with every reference resolved. A resource that the
 * local system neither runs nor knows to be nothing to run is an error that names it.
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

/** What the local system runs. */
const run = [
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::DynamoDB::GlobalTable',
  'AWS::Events::EventBus',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Scheduler::Schedule',
  'AWS::SecretsManager::Secret',
] as const;

/** What has nothing to run on a laptop, and why. */
const nothingToRun: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'nobody is woken on a laptop; the metrics are on the console',
  'AWS::CloudWatch::Dashboard': 'as the alarms',
  'AWS::IAM::Role': 'functions run as the user who started them; the rights are proved by tests of the template',
  'AWS::IAM::Policy': 'as the roles',
  'AWS::Lambda::Alias': 'calls of it go to its function, which starts as it always does here',
  'AWS::Lambda::EventInvokeConfig': 'a call of a schedule that fails is not repeated here either',
  'AWS::Lambda::Version': 'as the alias',
  'AWS::Lambda::Permission': 'the local gateway may call every function',
  'AWS::Logs::LogGroup': 'functions log to the console',
  'AWS::SNS::Subscription': 'as the alarms',
  'AWS::SNS::Topic': 'as the alarms',
  'AWS::SNS::TopicPolicy': 'as the alarms',
  'AWS::SQS::Queue': 'one local queue takes what every function of the template sends',
  'AWS::SQS::QueuePolicy': 'as the queue',
  'AWS::CDK::Metadata': 'a note of the CDK',
};

export type RunType = (typeof run)[number];

const account = '000000000000';
export const region = 'ap-northeast-2';

export class CloudAssembly {
  readonly #directory: string;
  readonly #resources: Template['Resources'];

  /** @param directory of `cdk synth`'s output, usually `cdk.out` */
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

  /** @throws Error that names every resource that the local system does not know */
  constructor(directory: string, { Resources }: Template) {
    this.#directory = directory;
    this.#resources = Resources;
    const known = new Set<string>([...run, ...Object.keys(nothingToRun)]);
    const unknown = Object.entries(Resources).filter(([, { Type }]) => !known.has(Type));
    if (unknown.length > 0) {
      const names = unknown.map(([id, { Type }]) => `${id} (${Type})`).join(', ');
      throw new Error(`The local system does not know what to do with: ${names}. Teach it in local/aws/template.ts.`);
    }
  }

  /** The resources of a type by logical id, with all references resolved. */
  ofType(type: RunType): { readonly id: string; readonly properties: Readonly<Record<string, unknown>> }[] {
    return Object.entries(this.#resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties = {} }]) => ({ id, properties: this.#resolved(Properties) as Record<string, unknown> }));
  }

  /** The directory that holds a function's code. @param key the `S3Key` of its `Code`: the hash of the asset, zipped */
  codeDirectory(key: string): string {
    return join(this.#directory, `asset.${key.replace(/\.zip$/, '')}`);
  }

  /** What `Ref` gives for a secret. */
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
        const [text, own] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
        return text.replace(/\$\{(!?)([^}]+)\}/g, (_whole, isLiteral: string, word: string) => {
          if (isLiteral) return `\${${word}}`;
          if (Object.hasOwn(own, word)) return String(this.#resolved(own[word]));
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

  /** An attribute is only passed on, never called: naming it is enough, but for what a function's code is found by. */
  #attribute(id: string, attribute: string): string {
    const service = this.#resources[id]?.Type.split('::')[1]?.toLowerCase();
    if (!service) throw new Error(`The template refers to ${id}, which it does not have`);
    return `arn:aws:${service}:${region}:${account}:${id}${attribute === 'Arn' ? '' : `#${attribute}`}`;
  }
}

/** The logical id in an ARN of this file's. */
export const idOfArn = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);
