/**
 * `npm run diagram`: writes a diagram of the deployed resources and a table of each function's rights into docs/infrastructure.md and
 * its translation, from the synthesized template. A test fails when they are out of date. Logs, alarms and the dashboard are left out.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Language } from '../functions/shared/language.ts';
import { synthesize } from '../infra/app.ts';
import { cdkContext, PROJECT_ROOT } from '../infra/context.ts';
import { withParts } from './generated.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** An IAM action that a role allows on a resource. */
interface Right {
  readonly action: string;
  /** The logical id of the resource. */
  readonly resource: string;
  /** The suffix of its ARN: an index, a stream. */
  readonly part: string;
}

interface DeployedFunction {
  readonly id: string;
  readonly name: string;
  readonly rights: readonly Right[];
  readonly routes: readonly { readonly key: string; readonly isOfShop: boolean }[];
}

export const INFRASTRUCTURE_DOCS = { en: 'docs/infrastructure.md', ko: 'docs/infrastructure.ko.md' } as const;

const WORDS: Record<Language, Record<'anyone' | 'shop' | 'every' | 'changes' | 'head', string>> = {
  en: {
    anyone: 'storefront, phones, Iamport',
    shop: 'server of the shop, with its key',
    every: 'every',
    changes: 'changes',
    head: '| function | routes | may |\n|---|---|---|',
  },
  ko: {
    anyone: '쇼핑몰 페이지, 휴대폰, 아임포트',
    shop: '쇼핑몰 서버, 키',
    every: '주기:',
    changes: '변경',
    head: '| 함수 | 경로 | 권한 |\n|---|---|---|',
  },
};

/** Captures the part of a logical id that names the resource. */
const LOGICAL_ID = /\bPayments(\w+?)[0-9A-F]{8}\b/g;

/** Mermaid's brackets for the shape of a node, by resource type. */
const SHAPES: Readonly<Record<string, readonly [string, string]>> = {
  'AWS::DynamoDB::GlobalTable': ['[(', ')]'],
  'AWS::SecretsManager::Secret': ['{{', '}}'],
  'AWS::Events::EventBus': ['([', '])'],
  'AWS::SQS::Queue': ['[[', ']]'],
};

/** The text that the document should have. @throws Error when it has no marks for the generated parts */
export function withInfrastructure(language: Language, template: Template): string {
  const functions = functionsOf(template);
  const parts = { diagram: diagram(template, functions, language), rights: rightsTable(functions, language) };
  return withParts(INFRASTRUCTURE_DOCS[language], parts);
}

function diagram(template: Template, functions: readonly DeployedFunction[], language: Language): string {
  const words = WORDS[language];
  const resources = Object.entries(template.Resources).flatMap(([id, { Type }]) => {
    const [open, close] = SHAPES[Type] ?? [];
    return open ? [`  ${id}${open}"${shortName(id)}"${close}`] : [];
  });
  const groups = Object.values(Object.groupBy(functions, targetsOf)).filter((group) => group !== undefined);
  const functionNodes = groups.flatMap((group, index) => {
    const from = group.length > 1 ? `together${index}` : (group[0]?.id ?? '');
    const boxes = group.map(
      ({ id, name, routes }) => `${id}["${[`<b>${name}</b>`, ...routes.map(({ key }) => key)].join('<br>')}"]`,
    );
    const box =
      group.length > 1
        ? [`  subgraph ${from}[" "]`, ...boxes.map((line) => `    ${line}`), '  end']
        : boxes.map((line) => `  ${line}`);
    return [...box, ...callers(group), ...edges(group[0]?.rights ?? [], from, words.changes)];
  });
  const schedules = ofType(template, 'AWS::Scheduler::Schedule').map(([id, { Properties }]) => {
    const every = String(Properties.ScheduleExpression).replace(/^rate\((.*)\)$/, `${words.every} $1`);
    const [target] = referred((Properties.Target as { Arn: unknown }).Arn);
    return `  ${id}>"${every}"] --> ${target}`;
  });
  const outside = [`  anyone(["${words.anyone}"])`, `  shop(["${words.shop}"])`];
  const lines = ['```mermaid', 'flowchart LR', ...outside, ...resources, ...functionNodes, ...schedules, '```'];
  return lines.join('\n').replace(LOGICAL_ID, '$1');
}

function callers(group: readonly DeployedFunction[]): string[] {
  return group.flatMap(({ id, routes }) => {
    const from = new Set(routes.map(({ isOfShop }) => (isOfShop ? 'shop' : 'anyone')));
    return [...from].map((caller) => `  ${caller} --> ${id}`);
  });
}

/** One arrow to each resource, with the verbs. The arrow of a stream points from the table to the function. */
function edges(rights: readonly Right[], from: string, changes: string): string[] {
  const byResource = Object.entries(Object.groupBy(rights, ({ resource }) => resource));
  return byResource.flatMap(([resource, some = []]) => {
    const verbs = new Set(some.filter(({ part }) => !part.startsWith('/stream')).map(({ action }) => verbOf(action)));
    const follows = some.some(({ part }) => part.startsWith('/stream'))
      ? [`  ${resource} -. ${changes} .-> ${from}`]
      : [];
    return verbs.size > 0 ? [...follows, `  ${from} -- ${[...verbs].sort().join(', ')} --> ${resource}`] : follows;
  });
}

/** `dynamodb:BatchGetItem` is a read. Any other action than a read or a send is a write. */
const verbOf = (action: string): string =>
  /:(Batch)?Get|:Query/.test(action) ? 'reads' : /:(Put|Send)/.test(action) ? 'sends' : 'writes';

function rightsTable(functions: readonly DeployedFunction[], language: Language): string {
  const rows = functions.map(({ name, routes, rights }) => {
    const allowed = Object.entries(Object.groupBy(rights, ({ resource, part }) => `${shortName(resource)}${part}`)).map(
      ([resource, some = []]) => `${resource}: ${some.map(({ action }) => `\`${action}\``).join(', ')}`,
    );
    return `| \`${name}\` | ${routes.map(({ key }) => `\`${key}\``).join('<br>')} | ${allowed.join('<br>')} |`;
  });
  return [WORDS[language].head, ...rows].join('\n');
}

/** The key of a group in the diagram: functions with equal rights. */
const targetsOf = ({ rights }: DeployedFunction): string =>
  rights.map(({ action, resource, part }) => `${action} ${resource}${part}`).join();

function functionsOf(template: Template): DeployedFunction[] {
  const routes = routesOf(template);
  return ofType(template, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) => {
    const [, name = ''] = /Functions(\w+)Function[0-9A-F]{8}$/.exec(id) ?? [];
    if (!name) return [];
    const [role = ''] = referred(Properties.Role);
    return [{ id, name: kebabCase(name), rights: rightsOf(template.Resources[role]), routes: routes.get(id) ?? [] }];
  });
}

/** The actions that a role allows, without those for the function's own log and traces. */
function rightsOf(role: Resource | undefined): Right[] {
  const policies = (role?.Properties.Policies ?? []) as { PolicyDocument: { Statement: Statement[] } }[];
  return policies
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap(({ Action, Resource }) =>
      [Resource].flat().flatMap((arn) => {
        const [resource = '', part = ''] = [referred(arn)[0], texts(arn).join('')];
        const actions = [Action].flat().filter((action) => !/^(?:logs|xray):/.test(action));
        return actions.map((action) => ({ action, resource, part }));
      }),
    );
}

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

function routesOf(template: Template): Map<string, { key: string; isOfShop: boolean }[]> {
  const routes = new Map<string, { key: string; isOfShop: boolean }[]>();
  for (const [, { Properties }] of ofType(template, 'AWS::ApiGatewayV2::Route')) {
    const [integration = ''] = referred(Properties.Target);
    const [id = ''] = referred(template.Resources[integration]?.Properties.IntegrationUri);
    const key = String(Properties.RouteKey);
    const route = { key, isOfShop: key.includes(' /orders/') };
    routes.set(id, [...(routes.get(id) ?? []), route]);
  }
  return routes;
}

const ofType = ({ Resources }: Template, type: string) =>
  Object.entries(Resources).filter(([, { Type }]) => Type === type);

/** The logical ids that a value refers to. */
function referred(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  if (Ref) return [Ref];
  return attribute ? [attribute[0]] : Object.values(value).flatMap(referred);
}

/** The strings in an Fn::Join. */
function texts(value: unknown): string[] {
  const { 'Fn::Join': join } = (value ?? {}) as { 'Fn::Join'?: [string, unknown[]] };
  return (join?.[1] ?? []).filter((part) => typeof part === 'string');
}

/** `PaymentsTablesOrdersD7E07471` is `orders`. */
const shortName = (id: string): string =>
  kebabCase(
    id
      .replace(/^Payments/, '')
      .replace(/^Tables/, '')
      .replace(/[0-9A-F]{8}$/, ''),
  );

const kebabCase = (name: string): string => name.replace(/(?<=.)([A-Z])/g, '-$1').toLowerCase();

export function templateIn(assembly: string): Template {
  return JSON.parse(readFileSync(join(assembly, 'IamportPayments.template.json'), 'utf8'));
}

if (import.meta.main) {
  const directory = mkdtempSync(join(tmpdir(), 'diagram-'));
  const template = templateIn(await synthesize(cdkContext(), directory));
  for (const language of ['en', 'ko'] as const) {
    writeFileSync(join(PROJECT_ROOT, INFRASTRUCTURE_DOCS[language]), withInfrastructure(language, template));
  }
  rmSync(directory, { recursive: true });
}
