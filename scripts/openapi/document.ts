/** The HTTP reference as an OpenAPI 3.1 document: the routes of infra/function-table.ts, the schemas of the doors, the codes of the problems. */

import * as z from 'zod';
import { Problem, type ProblemCode } from '../../functions/http/problem.ts';
import { problem } from '../../functions/http/response.ts';
import { doorEntries } from '../../infra/function-table.ts';
import { type AnswerName, answerSchemas, problemCodes, statusOf } from './answers.ts';
import { answerExamples } from './examples.ts';
import { type Described, meanings, type RouteName, routes } from './routes.ts';

type Json = Record<string, unknown>;

/**
 * @param additional whether an answer may have fields that are not described. Published, yes: new ones may come. In the test, no:
 * an answer with a field that the document does not have is a field that somebody forgot to describe.
 */
export function openapi({ additional }: { additional: boolean } = { additional: true }): Json {
  const paths: Record<string, Json> = {};
  for (const [, { routes: ofDoor, signed }] of doorEntries) {
    for (const { method, path } of ofDoor) {
      const described = routes[`${method} ${path}` as RouteName];
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(described, signed) };
    }
  }
  const schemas = Object.fromEntries(
    Object.entries(answerSchemas).map(([name, schema]) => [name, jsonSchema(schema, { additional })]),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'iamport-serverless',
      version: '1',
      summary: 'The payment-completion backend of a shop that sells through Iamport (PortOne V1).',
      description:
        'What could be verified is 200 with a status, good or bad; what could not is a problem (RFC 9457) with a stable code. Amounts in major units, times in Unix seconds. New fields may come.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      {
        url: 'https://{api}.execute-api.{region}.amazonaws.com',
        description: 'The output `ApiUrl` of the stack.',
        variables,
      },
      { url: 'http://127.0.0.1:3000', description: 'The local system: `npm start`.' },
    ],
    security: [],
    paths,
    components: { schemas, examples: problemExamples(), securitySchemes },
  };
}

const variables = { api: { default: 'api-id' }, region: { default: 'ap-northeast-2' } };

/** As API Gateway's own exports of IAM-signed routes have it. */
const securitySchemes = {
  shop: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    'x-amazon-apigateway-authtype': 'awsSigv4',
    description:
      "AWS Signature Version 4 for execute-api, as a role of the shop's account that may execute-api:Invoke.",
  },
};

function operation(described: Described, signed: boolean): Json {
  const { operationId, summary, path, query, headers = {}, body } = described;
  const parameters = [
    ...fieldsOf(path).map((field) => ({ ...field, in: 'path', required: true })),
    ...fieldsOf(query).map((field) => ({ ...field, in: 'query' })),
    ...Object.entries(headers).map(([name, { pattern, description }]) => ({
      ...{ name, in: 'header', description },
      schema: { type: 'string', ...(pattern && { pattern }) },
    })),
  ];
  return {
    operationId,
    summary: summary.en,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: requestBody(body, described) }),
    responses: responses(described, signed),
    security: signed ? [{ shop: [] }] : [],
  };
}

function fieldsOf(
  schema: z.core.$ZodType | undefined,
): { name: string; description: string; required: boolean; schema: unknown }[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, of]) => ({
    ...{ name, description: meaningOf(name) },
    ...{ required: required.includes(name), schema: of },
  }));
}

function meaningOf(field: string): string {
  const meaning = meanings[field];
  if (!meaning) throw new Error(`scripts/openapi/routes.ts does not say what the field ${field} means`);
  return meaning;
}

function requestBody(body: z.core.$ZodType, { takesForms, example }: Described): Json {
  const schema = withMeanings(jsonSchema(body));
  const media = { schema, ...(example && { example }) };
  return {
    required: true,
    content: { 'application/json': media, ...(takesForms && { 'application/x-www-form-urlencoded': media }) },
  };
}

/** Every field with what it means; those in a field that is an object too, as `account.bank`. */
function withMeanings(schema: Json, path = ''): Json {
  const { properties } = schema as { properties?: Record<string, Json> };
  if (!properties) return schema;
  const described = Object.entries(properties).map(([name, of]) => [
    name,
    { description: meaningOf(path + name), ...withMeanings(of, `${path}${name}.`) },
  ]);
  return { ...schema, properties: Object.fromEntries(described) };
}

function responses({ answers, problems, body }: Described, signed: boolean): Json {
  const found: Record<string, Json> = {};
  for (const [status, { description, schema }] of Object.entries(answers)) found[status] = answer(description, schema);
  const codes = problemCodes.filter((code) => code in problems);
  for (const status of new Set(codes.map(statusOf))) {
    const ofStatus = codes.filter((code) => statusOf(code) === status);
    found[status] = merged(found[status], ofStatus);
  }
  const gateway: Record<string, string> = {
    ...(signed && { 403: 'Not signed, or by a role that may not.' }),
    ...(body && { 413: 'More than API Gateway itself takes.' }),
    429: 'More requests at once than the route takes.',
    500: 'The function could not answer.',
    503: 'The function did not answer in time.',
  };
  for (const [status, why] of Object.entries(gateway)) found[status] = withGateway(found[status], why);
  return found;
}

function answer(description: string, schema?: AnswerName | 'page'): Json {
  if (!schema) return { description };
  if (schema === 'page') return { description, content: { 'text/html': { schema: { type: 'string' } } } };
  const examples = answerExamples[schema];
  return { description, content: { 'application/json': { schema: ref(schema), ...(examples && { examples }) } } };
}

const ref = (name: AnswerName) => ({ $ref: `#/components/schemas/${name}` });

/** The problems of one status, beside what else has that status. */
function merged(before: Json | undefined, codes: readonly ProblemCode[]): Json {
  const named = codes.map((code) => `\`${code}\`: ${new Problem(code, '').title}.`).join(' ');
  const retryAfters = codes.map((code) => new Problem(code, '').retryAfter).filter((seconds) => seconds !== undefined);
  const header = { description: 'Seconds after which asking again makes sense.', schema: { type: 'integer' } };
  return {
    description: [before?.description, named].filter(Boolean).join(' '),
    ...(retryAfters.length > 0 && { headers: { 'Retry-After': header } }),
    content: {
      ...(before?.content as Json | undefined),
      'application/problem+json': {
        schema: { allOf: [ref('Problem'), { type: 'object', properties: { code: { enum: codes } } }] },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}

/** One a code, as the door that has it writes it. */
function problemExamples(): Json {
  const details = Object.assign({}, ...Object.values(routes).map(({ problems }) => problems)) as Described['problems'];
  const written = (code: ProblemCode) => problem(new Problem(code, details[code] ?? ''), 'en').body ?? '';
  return Object.fromEntries(problemCodes.map((code) => [code, { value: JSON.parse(written(code)) }]));
}

function withGateway(before: Json | undefined, why: string): Json {
  return {
    ...before,
    description: [before?.description, `From API Gateway itself: ${why}`].filter(Boolean).join(' '),
    content: { ...(before?.content as Json | undefined), 'application/json': { schema: ref('GatewayMessage') } },
  };
}

/**
 * JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1) of what comes over the wire.
 * A field that forms may leave empty is described as what it is when it is there.
 */
function jsonSchema(schema: z.core.$ZodType, { additional = true } = {}): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: 'output',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: written }) => {
      const { def } = zodSchema._zod;
      // The safe integers are all that a number of JSON can be trusted with: no news to a reader.
      if (Math.abs(Number(written.minimum)) === Number.MAX_SAFE_INTEGER) delete written.minimum;
      if (written.maximum === Number.MAX_SAFE_INTEGER) delete written.maximum;
      if (def.type !== 'object') return;
      const { shape, catchall } = def as z.core.$ZodObjectDef;
      const needed = Object.keys(shape).filter((name) => !mayBeLeftOut(shape[name]));
      delete written.required;
      if (needed.length > 0) written.required = needed;
      if (additional && catchall?._zod.def.type !== 'never') delete written.additionalProperties;
    },
  });
  return rest;
}

const mayBeLeftOut = (field: z.core.$ZodType | undefined): boolean =>
  field === undefined || field._zod.optout === 'optional' || field._zod.def.type === 'default';
