/**
 * The architecture documents in both languages have the same diagrams and decision tables, and name only existing calls. Mermaid's own
 * parser needs 200 MB of packages, so these tests check the syntax of sequence diagrams themselves.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventNames } from '../functions/events/event-schema.ts';
import { decide } from '../functions/payment/decide.ts';
import { HTTP_FUNCTION_ENTRIES } from '../infra/function-table.ts';
import { allPayments, orders, policies } from './functions/payment/cases.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const documents = ['ARCHITECTURE.md', 'ARCHITECTURE.ko.md'] as const;

const diagramsIn = (file: string): string[][] =>
  [...read(file).matchAll(/```mermaid\n([\s\S]*?)```/g)].map(([, text = '']) => text.trimEnd().split('\n'));

const sequences = [
  'docs/README.md',
  'docs/README.ko.md',
  ...documents,
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
]
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) => diagramsIn(file).map((lines) => [file, lines] as const))
  .filter(([, [kind]]) => kind === 'sequenceDiagram');

const arrow = /^\s+(\w+)(?:->>|-->>)(\w+): (.+)$/;

test.each(sequences)('a sequence diagram of %s has valid syntax', (_file, [, ...lines]) => {
  const known = lines
    .map((line) => /^\s+participant (\w+)(?: as .+)?$/.exec(line)?.[1])
    .filter((name) => name !== undefined);
  let open = 0;
  for (const line of lines) {
    if (/^\s+participant /.test(line)) continue;
    // `;` begins a new statement, and `#` an escape.
    expect(line).not.toMatch(/[;#]/);
    const [, from, to] = arrow.exec(line) ?? [];
    const [, over] = /^\s+Note over ([\w,]+): ./.exec(line) ?? [];
    if (from && to) expect(known).toEqual(expect.arrayContaining([from, to]));
    else if (over) expect(known).toEqual(expect.arrayContaining(over.split(',')));
    else if (/^\s+(?:opt|alt|loop|par)\b/.test(line)) open += 1;
    else if (/^\s+end$/.test(line)) open -= 1;
    else expect(line).toMatch(/^\s+(?:else|and)\b/);
    expect(open).toBeGreaterThanOrEqual(0);
  }
  expect(open).toBe(0);
});

describe('the architecture documents', () => {
  const [english = [], korean = []] = documents.map(diagramsIn);

  test('have the same diagrams in both languages', () => {
    expect(english.length).toBe(12);
    // The texts of arrows and boxes may differ. The participants and the blocks must be the same.
    const shape = (line: string) =>
      line
        .replace(/(->>|-->>)(\w+): .*/, '$1$2')
        .replace(/^(\s+(?:opt|alt|else|par|and|loop|Note over [\w,]+|participant \w+)).*/, '$1')
        .replace(/\[[^*\]]*\]/g, '[]')
        .replace(/\|[^|]*\|/g, '||')
        .replace(/"[^"]*"/, '""')
        .replace(/(--> [\w[\]*]+): .*/, '$1');
    expect(korean.map((lines) => lines.map(shape))).toEqual(english.map((lines) => lines.map(shape)));
  });

  test('name the same calls and events at the same arrows', () => {
    const named = new RegExp(`\\b(?:GET|PUT|POST|DELETE) /[^\\s,]+|${eventNames.join('|')}`, 'g');
    const words = (lines: string[]) => lines.map((line) => arrow.exec(line)?.[3]?.match(named));
    expect(korean.map(words)).toEqual(english.map(words));
    const published = english.flat().filter((line) => /->>E: /.test(line) && !line.includes('PutEvents'));
    expect(published.length).toBeGreaterThan(6);
    expect(published.filter((line) => !line.match(named))).toEqual([]);
  });

  test('call every route of this system, and no other', () => {
    const calls = english.flat().flatMap((line) => {
      const [, from, to, label = ''] = arrow.exec(line) ?? [];
      return to === 'P' && from !== 'P' ? (label.match(/\b(?:GET|PUT|POST|DELETE) \/[^\s,]+/g) ?? []) : [];
    });
    const described = HTTP_FUNCTION_ENTRIES.flatMap(([, { routes }]) =>
      routes.map(({ method, path }) => `${method} ${path}`),
    );
    expect([...new Set(calls)].sort()).toEqual(described.sort());
  });

  test('have the same decision table', () => {
    const rows = (file: string) => (read(file).match(/^\| \d+ \|.*/gm) ?? []).map(codeWordsOf);
    expect(rows('ARCHITECTURE.md')).toHaveLength(25);
    expect(rows('ARCHITECTURE.ko.md')).toEqual(rows('ARCHITECTURE.md'));
  });

  test('have the same code words in every table row', () => {
    const rows = (file: string) => (read(file).match(/^\| .*/gm) ?? []).map(codeWordsOf);
    expect(rows('ARCHITECTURE.ko.md')).toEqual(rows('ARCHITECTURE.md'));
  });
});

describe('the decisions of `decide` for every order and every payment of the unit tests', () => {
  const made = orders.flatMap(([, order]) =>
    // Adds each payment as one that began long before the registration of its order.
    [...allPayments()]
      .flatMap(([, payment]) => [payment, { ...payment, startedAt: 0 }])
      .flatMap((payment) =>
        policies.map((policy) => ({
          from: order?.state.status,
          decision: decide(order && { ...order, registeredAt: 1_000_000 }, payment, policy),
        })),
      ),
  );

  test.each(documents)('are exactly those in the table of %s', (file) => {
    const cells = (read(file).match(/^\| \d+ \|.*/gm) ?? []).map((row) => row.split('|').at(-2) ?? '');
    const changes = made.flatMap(({ decision }) => (decision.kind === 'change' ? decision.next.status : []));
    const bold = cells.flatMap((cell) => [...cell.matchAll(/\*\*(\w+)\*\*/g)].map(([, word]) => word));
    expect([...new Set(bold)].sort()).toEqual([...new Set(changes)].sort());
    const reasons = made.flatMap(({ decision }) => (decision.kind === 'reject' ? decision.reason : []));
    const code = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word));
    expect([...new Set(code)].sort()).toEqual([...new Set([...reasons, 'order_not_found'])].sort());
  });

  test.each(documents)('are exactly the arrows in the state diagram of %s', (file) => {
    const [, text = ''] = /(stateDiagram-v2\n[\s\S]*?)```/.exec(read(file)) ?? [];
    const payable = ['ready', 'failed', 'expired', 'virtual_account_issued'];
    const arrows = [...text.matchAll(/^ +(\w+) --> (\w+)/gm)].flatMap(([, from = '', to = '']) =>
      (from === 'payable' ? payable : [from]).map((one) => `${one} --> ${to}`),
    );
    const steps = made.flatMap(({ from, decision }) =>
      decision.kind === 'change' && from !== decision.next.status ? `${from} --> ${decision.next.status}` : [],
    );
    expect([...new Set(steps)].sort()).toEqual(arrows.sort());
  });
});

/** The code spans and bold words of a table row, sorted, because the word order differs between the languages. */
const codeWordsOf = (row: string): string[] => (row.match(/`[^`]+`|\*\*[^*]+\*\*/g) ?? []).sort();
