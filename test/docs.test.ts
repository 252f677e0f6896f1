/** The docs agree with the code. Codes, statuses, keys and defaults come from the code, not from this file. */

import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Problem, type ProblemCode } from '../functions/http/problem.ts';
import type { OrderStatus } from '../functions/payment/order.ts';
import type { OutcomeStatus } from '../functions/payment/outcome.ts';
import type { Objection } from '../functions/payment/reversal.ts';
import { readStackSettings } from '../infra/config.ts';
import { PROOF_DOCS, withInvariants } from '../scripts/proof-docs.ts';
import { commands, commandsIn } from './support/commands.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const readmes = ['README.md', 'README.ko.md'] as const;
const architectures = ['ARCHITECTURE.md', 'ARCHITECTURE.ko.md'] as const;
const docs = [
  ...[...readmes, ...architectures, 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

/** The ids of tests in a text, such as `[T12]`. An id is in the test's name, and the docs cite it. */
const testIdsIn = (text: string): string[] => text.match(/\[T\d+\]/g) ?? [];

/** The ids in the source of all tests. */
const idsInTests: readonly string[] =
  // Another test installs packages in its own folder at the same time.
  globSync('test/**/*.test.ts', { cwd: root, exclude: (path) => path.endsWith('node_modules') })
    .filter((path) => path !== 'test/docs.test.ts')
    .flatMap((path) => testIdsIn(read(path)));

// A code or status that the code adds or removes does not compile here until this file has the same change.
const problemCodes = Object.keys({
  invalid_request: 0,
  route_not_found: 0,
  unauthorised: 0,
  forbidden: 0,
  sender_refused: 0,
  payment_not_found: 0,
  order_not_found: 0,
  order_mismatch: 0,
  order_exists: 0,
  order_paid: 0,
  not_paid: 0,
  refund_exceeds: 0,
  refund_key_used: 0,
  refund_refused: 0,
  payload_too_large: 0,
  unsupported_media_type: 0,
  account_missing: 0,
  internal_error: 0,
  iamport_error: 0,
  iamport_unavailable: 0,
  store_unavailable: 0,
  not_settled: 0,
  order_busy: 0,
} satisfies Record<ProblemCode, 0>) as ProblemCode[];
const outcomeStatuses = Object.keys({
  paid: 0,
  virtual_account_issued: 0,
  ready: 0,
  failed: 0,
  partial_cancelled: 0,
  cancelled: 0,
  expired: 0,
  deposit_reversed: 0,
  rejected: 0,
} satisfies Record<OutcomeStatus, 0>);
const orderStatuses = Object.keys({
  ready: 0,
  failed: 0,
  expired: 0,
  virtual_account_issued: 0,
  paid: 0,
  partial_cancelled: 0,
  cancelled: 0,
  deposit_reversed: 0,
  closed: 0,
} satisfies Record<OrderStatus, 0>);
const objections = Object.keys({
  test_payment: 0,
  payment_predates_order: 0,
  currency_mismatch: 0,
  amount_mismatch: 0,
  deposit_mismatch: 0,
  deposit_excess: 0,
  duplicate_payment: 0,
  order_closed: 0,
  account_superseded: 0,
} satisfies Record<Objection, 0>);

/** The cells of every row of a table, without code marks. @param head the first cell of the table head */
function table(file: string, head: string): string[][] {
  const lines = read(file).split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  if (start < 0) throw new Error(`${file} has no table that begins with ${head}`);
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start + 2, start + length).map((line) => line.split('|').slice(1, -1).map(plain));
}

const plain = (cell: string) => cell.trim().replace(/^`(.*)`$/, '$1');
const firstCells = (rows: string[][]) => rows.map(([first]) => first).sort();

describe.each(['docs/deploy.md', 'docs/deploy.ko.md'])('%s', (file) => {
  test('has a valid example of a configuration', () => {
    const [, example = ''] = /```json\n(\s*\{\s*"storefront"[\s\S]*?)```/.exec(read(file)) ?? [];
    expect(() => readStackSettings(JSON.parse(example))).not.toThrow();
  });
});

describe.each(['docs/http.md', 'docs/http.ko.md'])('%s', (file) => {
  test('has every outcome', () => {
    expect(firstCells(table(file, '`status`'))).toEqual([...outcomeStatuses].sort());
  });

  test('has every error with its HTTP status and its retry-after', () => {
    const rows = table(file, '`code`');
    expect(firstCells(rows)).toEqual([...problemCodes].sort());
    for (const [code, status, advice] of rows) {
      const problem = new Problem(code as ProblemCode, '');
      expect([code, status]).toEqual([code, String(problem.status)]);
      if (problem.retryAfter === 1) expect(advice, code).toMatch(/\ba second\b|\b1초/);
      else if (problem.retryAfter) expect(advice, code).toMatch(new RegExp(`\\b${problem.retryAfter}(?: seconds|초)`));
    }
  });
});

test.each(architectures)('%s has every status of an order and every reason to reject a payment', (file) => {
  const text = read(file);
  const missing = [...orderStatuses, ...objections].filter(
    (word) => !new RegExp(`\`${word}\`|\\*\\*${word}\\*\\*`).test(text),
  );
  expect(missing).toEqual([]);
});

describe('every document in docs/', () => {
  const english = docs.filter((file) => /^docs\/[\w-]+\.md$/.test(file));
  const koreanOf = (file: string) => file.replace(/\.md$/, '.ko.md');

  test.each(english)('%s and its Korean translation link to each other', (file) => {
    expect(read(file)).toContain(`](${basename(koreanOf(file))})`);
    expect(read(koreanOf(file))).toContain(`](${basename(file)})`);
  });

  test.each(english)('%s has the same headings, code blocks and tables as its translation', (file) => {
    const shape = (text: string) =>
      text
        .replace(/^ *```(\w*)[\s\S]*?^ *```$/gm, '```$1')
        .match(/^(?:#+ | *```\w*|\|)/gm)
        ?.map((mark) => mark.trim());
    expect(shape(read(koreanOf(file)))).toEqual(shape(read(file)));
  });

  test.each(['README.md', 'README.ko.md'])('is linked from %s and from docs/%s', (readme) => {
    const translated = readme === 'README.md' ? english : english.map(koreanOf);
    const others = translated.filter((file) => basename(file) !== readme);
    expect(translated.filter((file) => !read(readme).includes(`](${file}`))).toEqual([]);
    expect(others.filter((file) => !read(`docs/${readme}`).includes(`](${basename(file)}`))).toEqual([]);
  });
});

describe.each(docs)('%s', (file) => {
  const text = read(file);

  test('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, run, short]) => run ?? short);
    expect(named.filter((name) => !name || !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('has only commands that test/support/commands.ts lists with a test or a reason', () => {
    expect(commandsIn(text).filter((command) => !Object.hasOwn(commands, command))).toEqual([]);
  });

  test('links only to files and headings that exist', () => {
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    const broken = targets.filter(([, path, heading]) => {
      const target = path ? join(dirname(file), path) : file;
      return !existsSync(join(root, target)) || (heading && !headingsOf(target).includes(heading));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test('names only files and folders that exist', () => {
    const named = [...text.matchAll(/`((?:functions|infra|local|scripts|storefront|test)\/[\w./-]*)`/g)].map(
      ([, path]) => path ?? '',
    );
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

test.each(['docs/deploy.md', 'docs/deploy.ko.md'])('the configuration in %s is valid', (file) => {
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(read(file)) ?? [];
  expect(() => readStackSettings(JSON.parse(example))).not.toThrow();
});

test.each(Object.entries(commands))('%s is run by a test of the same file, or has a reason', (command, by) => {
  if ('because' in by) return expect(by.because).toMatch(/^[A-Z].{20,}\.$/);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const [, name] = /^npm (?:run )?(.+)$/.exec(command) ?? [];
  const file = name && /[\w./-]+\.ts\b|test\/\w+$/.exec(scripts[name] ?? '')?.[0];
  // The test is the file that the command runs, or it names that file or the command.
  const isItself = file !== undefined && by.test.startsWith(file ?? '-');
  expect(isItself || read(by.test).includes(file ? basename(file) : (name ?? command)), command).toBe(true);
});

test.each(['en', 'ko'] as const)(
  'the invariants in the proof (%s) are those of the simulation: npm run proof writes them',
  (language) => {
    expect(read(PROOF_DOCS[language])).toBe(withInvariants(language));
  },
);

describe.each(['docs/threats.md', 'docs/threats.ko.md'])('%s', (file) => {
  const rows = read(file)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);
  test('names a test or an invariant of the simulation for every attack', () => {
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) {
      const proof = row.split(' | ').at(-1) ?? '';
      const cited = testIdsIn(proof);
      expect(cited.length > 0 || /S\d/.test(proof), row).toBe(true);
      expect(
        cited.filter((id) => !idsInTests.includes(id)),
        row,
      ).toEqual([]);
    }
  });
});

test('each id of a test is in one test name, and the docs cite it', () => {
  const cited = new Set(docs.flatMap((file) => testIdsIn(read(file))));
  expect(idsInTests.toSorted()).toEqual([...cited].toSorted());
});

test.each(['docs/faq.md', 'docs/faq.ko.md'])(
  '%s cites the source of each question, and the id of a test that proves the answer',
  (file) => {
    const [, ...questions] = read(file).split(/^## /m);
    expect(questions.length).toBeGreaterThan(14);
    for (const question of questions) {
      const [, shown = ''] = /^(?:Shown by|확인): (.+)$/m.exec(question) ?? [];
      const cited = testIdsIn(shown);
      expect(cited.length, question).toBeGreaterThan(0);
      expect(cited.filter((id) => !idsInTests.includes(id))).toEqual([]);
    }
    expect(questions.filter((question) => /\]\(https:/.test(question)).length).toBeGreaterThan(13);
  },
);

test.each(['docs/deploy.md', 'docs/deploy.ko.md'])(
  '%s has the whole checklist, and cites only tests that exist',
  (file) => {
    const rows =
      read(file)
        .split(/^### /m)[1]
        ?.match(/^\| .*/gm) ?? [];
    expect(rows).toHaveLength(31);
    const cited = rows.flatMap(testIdsIn);
    expect(cited.length).toBeGreaterThan(12);
    expect(cited.filter((id) => !idsInTests.includes(id))).toEqual([]);
  },
);

/** The headings of a document, as GitHub's anchors. */
const headingsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
