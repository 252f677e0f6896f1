/** Parses a request body, JSON or form, and validates its fields with zod. */

import type { Context } from 'hono';
import * as z from 'zod';
import { Refused } from './refused.ts';

/** A form has no null: an empty field counts as left out. */
const given = (value: unknown) => (value === '' || value === null ? undefined : value);

export const text = z.preprocess(given, z.coerce.string().optional());
export const number = z.preprocess(given, z.coerce.number().optional());
export const flag = z.preprocess(
  (value) => (given(value) === undefined ? undefined : String(value) === 'true'),
  z.boolean().optional(),
);

/** @throws Refused `invalid`, which names the wrong fields */
export async function bodyOf<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.output<Schema>> {
  return fields(await raw(c), schema);
}

export function fields<Schema extends z.ZodType>(value: unknown, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => issue.path.join('.') || '본문').join(', ');
  throw new Refused('invalid', `요청값이 올바르지 않습니다: ${wrong}`);
}

async function raw(c: Context): Promise<unknown> {
  const body = await c.req.text();
  if (!body) return {};
  if (c.req.header('content-type')?.includes('x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
