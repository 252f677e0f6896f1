/** The HTTP reference as an OpenAPI 3.1 document: the routes of infra/function-table.ts, the handlers' schemas, the problem codes. */

import * as z from 'zod';
import { Problem, type ProblemCode } from '../../functions/http/problem.ts';
import { problem } from '../../functions/http/response.ts';
import { HTTP_FUNCTION_ENTRIES, type HttpFunction } from '../../infra/function-table.ts';
import { RESPONSE_EXAMPLES } from './examples.ts';
import { PROBLEM_CODES, RESPONSE_SCHEMAS, type ResponseName, statusOf } from './responses.ts';
import { type Described, FIELD_MEANINGS, ROUTES, type RouteName } from './routes.ts';

type Json = Record<string, unknown>;

/**
 * @param additional whether the schemas allow undescribed fields in responses. The published document does, since later versions may
 * add fields. The test does not, to find fields that the document lacks.
 */
export function openapi({ additional }: { additional: boolean } = { additional: true }): Json {
  const paths: Record<string, Json> = {};
  for (const [, { routes, right }] of HTTP_FUNCTION_ENTRIES) {
    for (const { method, path } of routes) {
      const described = ROUTES[`${method} ${path}` as RouteName];
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(described, right) };
    }
  }
  const schemas = Object.fromEntries(
    Object.entries(RESPONSE_SCHEMAS).map(([name, schema]) => [name, jsonSchema(schema, { additional })]),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'iamport-serverless',
      version: '1',
      summary: 'The payment-completion backend of a shop that sells through Iamport (PortOne V1).',
      description:
        'A verified payment is 200 with a status, paid or not. Everything else is a problem (RFC 9457) with a stable code. Amounts in major units, times in Unix seconds. Later versions may add fields.',
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

const securitySchemes = {
  orders: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A key that begins with sk_orders_ or sk_money_. With shopAuth: "iam", AWS Signature Version 4 instead.',
  },
  money: {
    type: 'http',
    scheme: 'bearer',
    description: 'A key that begins with sk_money_. With shopAuth: "iam", AWS Signature Version 4 instead.',
  },
};

function operation(described: Described, right: HttpFunction['right']): Json {
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
    responses: responsesOf(described, right !== undefined),
    security: right ? [{ [right]: [] }] : [],
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
  const meaning = FIELD_MEANINGS[field];
  if (!meaning) throw new Error(`scripts/openapi/routes.ts has no description of the field ${field}`);
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

/** Adds a description to every field, also of nested objects, such as `account.bank`. */
function withMeanings(schema: Json, path = ''): Json {
  const { properties } = schema as { properties?: Record<string, Json> };
  if (!properties) return schema;
  const described = Object.entries(properties).map(([name, of]) => [
    name,
    { description: meaningOf(path + name), ...withMeanings(of, `${path}${name}.`) },
  ]);
  return { ...schema, properties: Object.fromEntries(described) };
}

function responsesOf({ responses, problems, body }: Described, isOfShop: boolean): Json {
  const found: Record<string, Json> = {};
  for (const [status, { description, schema }] of Object.entries(responses))
    found[status] = response(description, schema);
  const codes = PROBLEM_CODES.filter((code) => code in problems);
  for (const status of new Set(codes.map(statusOf))) {
    const ofStatus = codes.filter((code) => statusOf(code) === status);
    found[status] = merged(found[status], ofStatus);
  }
  const gateway: Record<string, string> = {
    ...(isOfShop && { 403: 'With shopAuth: "iam": not signed, or signed by a role without the right.' }),
    ...(body && { 413: 'The body exceeds the limit of API Gateway.' }),
    429: 'The request exceeds the throttle of the route.',
    500: 'The function failed.',
    503: 'The function timed out.',
  };
  for (const [status, why] of Object.entries(gateway)) found[status] = withGateway(found[status], why);
  return found;
}

function response(description: string, schema?: ResponseName | 'page'): Json {
  if (!schema) return { description };
  if (schema === 'page') return { description, content: { 'text/html': { schema: { type: 'string' } } } };
  const examples = RESPONSE_EXAMPLES[schema];
  return { description, content: { 'application/json': { schema: ref(schema), ...(examples && { examples }) } } };
}

const ref = (name: ResponseName) => ({ $ref: `#/components/schemas/${name}` });

/** Adds the problems of one status to the other responses with that status. */
function merged(before: Json | undefined, codes: readonly ProblemCode[]): Json {
  const named = codes.map((code) => `\`${code}\`: ${new Problem(code, '').title}.`).join(' ');
  const retryAfters = codes.map((code) => new Problem(code, '').retryAfter).filter((seconds) => seconds !== undefined);
  const header = { description: 'Seconds after which the caller should retry.', schema: { type: 'integer' } };
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

/** One example for each code, written by the function that writes problems. */
function problemExamples(): Json {
  const details = Object.assign({}, ...Object.values(ROUTES).map(({ problems }) => problems)) as Described['problems'];
  const written = (code: ProblemCode) => problem(new Problem(code, details[code] ?? ''), 'en').body ?? '';
  return Object.fromEntries(PROBLEM_CODES.map((code) => [code, { value: JSON.parse(written(code)) }]));
}

function withGateway(before: Json | undefined, why: string): Json {
  return {
    ...before,
    description: [before?.description, `From API Gateway itself: ${why}`].filter(Boolean).join(' '),
    content: { ...(before?.content as Json | undefined), 'application/json': { schema: ref('GatewayMessage') } },
  };
}

/**
 * JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1) of a body on the wire. A field that may be empty in a form has the schema
 * of its value.
 */
function jsonSchema(schema: z.core.$ZodType, { additional = true } = {}): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: 'output',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: written }) => {
      const { def } = zodSchema._zod;
      // zod writes the limits of safe integers. They hold for every JSON number, so they are left out.
      if (Math.abs(Number(written.minimum)) === Number.MAX_SAFE_INTEGER) delete written.minimum;
      if (written.maximum === Number.MAX_SAFE_INTEGER) delete written.maximum;
      if (def.type !== 'object') return;
      const { shape, catchall } = def as z.core.$ZodObjectDef;
      const required = Object.keys(shape).filter((name) => !isOptional(shape[name]));
      delete written.required;
      if (required.length > 0) written.required = required;
      if (additional && catchall?._zod.def.type !== 'never') delete written.additionalProperties;
    },
  });
  return rest;
}

const isOptional = (field: z.core.$ZodType | undefined): boolean =>
  field === undefined || field._zod.optout === 'optional' || field._zod.def.type === 'default';
