/**
 * `npm run schemas`: writes docs/events.schema.json, and the tables of docs/events.md and its translation, from the schemas. A test
 * fails when they are out of date.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { eventDetail, eventFields, notificationDetail, notificationNames } from '../functions/events/event-schema.ts';
import { EVENT_DOCS, withEvents } from './events-docs.ts';

/** The JSON Schema (draft 2020-12) of `detail-type` and `detail` of every event on the bus. */
export function eventSchemas(): object {
  const event = (name: object, detail: object) => ({
    type: 'object',
    properties: { 'detail-type': name, detail },
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    title: 'Events of iamport-serverless',
    oneOf: [
      ...Object.entries(eventFields).map(([name, required]) =>
        event({ const: name }, { type: 'object', $ref: '#/$defs/detail', required }),
      ),
      event({ enum: notificationNames }, { $ref: '#/$defs/notification' }),
    ],
    required: ['detail-type', 'detail'],
    $defs: { detail: withoutDialect(eventDetail), notification: withoutDialect(notificationDetail) },
  };
}

function withoutDialect(schema: z.core.$ZodType): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

export const SCHEMA_FILE = join(import.meta.dirname, '../docs/events.schema.json');
export const schemaText = (): string => `${JSON.stringify(eventSchemas(), null, 2)}\n`;

if (import.meta.main) {
  writeFileSync(SCHEMA_FILE, schemaText());
  for (const language of ['en', 'ko'] as const) {
    writeFileSync(join(import.meta.dirname, '..', EVENT_DOCS[language]), withEvents(language));
  }
}
