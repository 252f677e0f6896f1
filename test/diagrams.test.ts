/**
 * The two papers on the architecture draw the same flows, decide by the same table, and name only calls that there are. Mermaid's own
 * parser is 200 MB of packages, so it is not asked here; what it stumbles over in a sequence diagram is.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventNames } from '../functions/events/event-schema.ts';
import { decide } from '../functions/payment/decide.ts';
import { doorEntries } from '../infra/function-table.ts';
import { allPayments, orders, policies } from './functions/payment/cases.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const papers = ['ARCHITECTURE.md', 'ARCHITECTURE.ko.md'] as const;

const diagramsIn = (file: string): string[][] =>
  [...read(file).matchAll(/```mermaid\n([\s\S]*?)```/g)].map(([, text = '']) => text.trimEnd().split('\n'));

const sequences = [
  'README.md',
  'README.ko.md',
  ...papers,
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
]
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) => diagramsIn(file).map((lines) => [file, lines] as const))
  .filter(([, [kind]]) => kind === 'sequenceDiagram');

const arrow = /^\s+(\w+)(?:->>|-->>)(\w+): (.+)$/;

test.each(sequences)('a sequence diagram of %s can be drawn', (_file, [, ...lines]) => {
  const known = lines
    .map((line) => /^\s+participant (\w+)(?: as .+)?$/.exec(line)?.[1])
    .filter((name) => name !== undefined);
  let open = 0;
  for (const line of lines) {
    if (/^\s+participant /.test(line)) continue;
    // They begin a new statement, or an escape.
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

describe('the papers on the architecture', () => {
  const [english = [], korean = []] = papers.map(diagramsIn);

  test('draw the same, in two languages', () => {
    expect(english.length).toBe(12);
    // Whatever is said at an arrow or in a box may differ; who says it to whom, and in which block, may not.
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

  test('say the same calls and events at the same arrows', () => {
    const named = new RegExp(`\\b(?:GET|PUT|POST|DELETE) /[^\\s,]+|${eventNames.join('|')}`, 'g');
    const words = (lines: string[]) => lines.map((line) => arrow.exec(line)?.[3]?.match(named));
    expect(korean.map(words)).toEqual(english.map(words));
    const told = english.flat().filter((line) => /->>E: /.test(line) && !line.includes('PutEvents'));
    expect(told.length).toBeGreaterThan(6);
    expect(told.filter((line) => !line.match(named))).toEqual([]);
  });

  test('call this system by routes that it has, and every one of them', () => {
    const calls = english.flat().flatMap((line) => {
      const [, from, to, said = ''] = arrow.exec(line) ?? [];
      return to === 'P' && from !== 'P' ? (said.match(/\b(?:GET|PUT|POST|DELETE) \/[^\s,]+/g) ?? []) : [];
    });
    const described = doorEntries.flatMap(([, { routes }]) => routes.map(({ method, path }) => `${method} ${path}`));
    expect([...new Set(calls)].sort()).toEqual(described.sort());
  });

  test('decide by the same table', () => {
    const rows = (file: string) => (read(file).match(/^\| \d+ \|.*/gm) ?? []).map(codeWordsOf);
    expect(rows('ARCHITECTURE.md')).toHaveLength(24);
    expect(rows('ARCHITECTURE.ko.md')).toEqual(rows('ARCHITECTURE.md'));
  });

  test('have the same tables, word for word where it is code', () => {
    const rows = (file: string) => (read(file).match(/^\| .*/gm) ?? []).map(codeWordsOf);
    expect(rows('ARCHITECTURE.ko.md')).toEqual(rows('ARCHITECTURE.md'));
  });
});

describe('what decide really does, over every order and every payment that the tests of the rules know', () => {
  const made = orders.flatMap(([, order]) =>
    // Each payment also as one that began long before its order was registered.
    [...allPayments()]
      .flatMap(([, payment]) => [payment, { ...payment, startedAt: 0 }])
      .flatMap((payment) =>
        policies.map((policy) => ({
          from: order?.state.status,
          decision: decide(order && { ...order, registeredAt: 1_000_000 }, payment, policy),
        })),
      ),
  );

  test.each(papers)('is what the table of %s says, no more and no less', (paper) => {
    const said = (read(paper).match(/^\| \d+ \|.*/gm) ?? []).map((row) => row.split('|').at(-2) ?? '');
    const changes = made.flatMap(({ decision }) => (decision.kind === 'change' ? decision.next.status : []));
    const bold = said.flatMap((cell) => [...cell.matchAll(/\*\*(\w+)\*\*/g)].map(([, word]) => word));
    expect([...new Set(bold)].sort()).toEqual([...new Set(changes)].sort());
    const reasons = made.flatMap(({ decision }) => (decision.kind === 'reject' ? decision.reason : []));
    const code = said.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word));
    expect([...new Set(code)].sort()).toEqual([...new Set([...reasons, 'order_not_found'])].sort());
  });

  test.each(papers)('is drawn in the states of %s: every step is an arrow, and every arrow a step', (paper) => {
    const [, text = ''] = /(stateDiagram-v2\n[\s\S]*?)```/.exec(read(paper)) ?? [];
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

/** What a row of a table says in code or in bold, wherever the language puts it. */
const codeWordsOf = (row: string): string[] => (row.match(/`[^`]+`|\*\*[^*]+\*\*/g) ?? []).sort();
