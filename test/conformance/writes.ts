/** Conditional writes for the conformance suite: the named conditions of the store, and random writes that use them. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Item, Write } from '../../functions/adapters/dynamodb/table.ts';

const store = join(import.meta.dirname, '../../functions/adapters/dynamodb');

/** Every `name: 'expression'` in the store, except the key conditions of queries. */
export function namedConditions(): string[] {
  const sources = readdirSync(store)
    .filter((file) => file !== 'table.ts')
    .map((file) => readFileSync(join(store, file), 'utf8'));
  const named =
    /(\w+)(?:: | = )(?:\w+ (?:=== undefined )?\? )?(?:['`][^'`]*(?:attribute_not_exists|[=<>] :)|livesLonger)/g;
  const names = sources.flatMap((source) => [...source.matchAll(named)].flatMap(([, name]) => name ?? []));
  // `livesLonger` is a part of a condition, not a condition.
  return [...new Set(names)].filter((name) => name !== 'livesLonger').sort();
}

const text = fc.constantFrom('a', 'b', '').map((S) => ({ S }));
const number = fc.constantFrom('0', '1', '2', '10').map((N) => ({ N }));
const map = fc.dictionary(fc.constantFrom('step', 'by'), text, { maxKeys: 2 }).map((M) => ({ M }));
/** An attribute that is sometimes removed instead. */
const perhaps = (value: fc.Arbitrary<Item[string]>) => fc.option(value, { nil: undefined, freq: 3 });

/** @param set the attributes to write, with any value */
function write(
  condition: string,
  set: Record<string, fc.Arbitrary<Item[string] | undefined>>,
  values: Record<string, fc.Arbitrary<Item[string]>> = {},
): fc.Arbitrary<Omit<Write, 'key'>> {
  return fc
    .record({ set: fc.record(set), values: fc.record(values) })
    .map((parts) => ({ ...parts, conditions: { asInTheStore: condition } }));
}

/** A write under one of the conditions of the store, on a table whose key is `id`. */
export function anyWrite(withMaps: boolean): fc.Arbitrary<Omit<Write, 'key'>> {
  const content: fc.Arbitrary<Item[string]> = withMaps ? map : text;
  return fc.oneof(
    write('attribute_not_exists(id)', { revision: number, kind: perhaps(text), expires_at_ms: perhaps(number) }),
    write('#revision = :read', { revision: number, content: perhaps(content) }, { ':read': number }),
    write('attribute_not_exists(id) OR #revision = :read', { revision: perhaps(number) }, { ':read': number }),
    write('attribute_not_exists(id) OR (#kind = :kind AND (#event <> :event OR #content <> :content))', {
      kind: text,
      event: text,
      content,
    }),
    write('attribute_not_exists(expires_at_ms) OR #expires_at_ms < :expires_at_ms', { expires_at_ms: number }),
    write(
      'attribute_not_exists(expires_at_ms) OR #expires_at_ms < :expires_at_ms OR kind = :refused',
      { expires_at_ms: number, claimed_until_ms: fc.constant(undefined) },
      { ':refused': text },
    ),
    write(
      'attribute_not_exists(claimed_until_ms) OR claimed_until_ms < :now',
      { claimed_until_ms: number, event: perhaps(text) },
      { ':now': number },
    ),
  );
}
