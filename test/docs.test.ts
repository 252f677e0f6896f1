/** The papers at the top say what the code does. Codes, statuses, keys and defaults come from the code, never from here. */

import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Problem, type ProblemCode } from '../functions/http/problem.ts';
import type { OrderStatus } from '../functions/payment/order.ts';
import type { OutcomeStatus } from '../functions/payment/outcome.ts';
import type { Objection } from '../functions/payment/reversal.ts';
import { readSettings } from '../infra/config.ts';
import { commands, commandsIn } from './support/commands.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const readmes = ['README.md', 'README.ko.md'] as const;
const architectures = ['ARCHITECTURE.md', 'ARCHITECTURE.ko.md'] as const;
const papers = [
  ...[...readmes, ...architectures, 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

// A word that the code gains or loses does not compile here until it is added or taken out.
const problemCodes = Object.keys({
  invalid_request: 0,
  route_not_found: 0,
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

/** The cells of the rows whose first cell is a word in code, under the table head that begins so. */
function table(file: string, head: string): string[][] {
  const lines = read(file).split('\n');
  const begin = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  if (begin < 0) throw new Error(`${file} has no table that begins with ${head}`);
  const length = lines.slice(begin).findIndex((line) => !line.startsWith('|'));
  return lines.slice(begin + 2, begin + length).map((line) => line.split('|').slice(1, -1).map(plain));
}

const plain = (cell: string) => cell.trim().replace(/^`(.*)`$/, '$1');
const firstCells = (rows: string[][]) => rows.map(([first]) => first).sort();

describe.each(readmes)('%s', (file) => {
  test('has an example of a configuration that is one', () => {
    const [, example = ''] = /```json\n(\s*\{\s*"storefront"[\s\S]*?)```/.exec(read(file)) ?? [];
    expect(() => readSettings(JSON.parse(example))).not.toThrow();
  });

  test('has every outcome', () => {
    expect(firstCells(table(file, '`status`'))).toEqual([...outcomeStatuses].sort());
  });

  test('has every error with its HTTP status, and after how many seconds to ask again', () => {
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
  const english = papers.filter((file) => /^docs\/[\w-]+\.md$/.test(file));
  const koreanOf = (file: string) => file.replace(/\.md$/, '.ko.md');

  test.each(english)('%s has a Korean twin, and they lead to each other', (file) => {
    expect(read(file)).toContain(`](${basename(koreanOf(file))})`);
    expect(read(koreanOf(file))).toContain(`](${basename(file)})`);
  });

  test.each(english)('%s has the parts that its twin has', (file) => {
    const shape = (text: string) =>
      text
        .replace(/^ *```(\w*)[\s\S]*?^ *```$/gm, '```$1')
        .match(/^(?:#+ | *```\w*|\|)/gm)
        ?.map((mark) => mark.trim());
    expect(shape(read(koreanOf(file)))).toEqual(shape(read(file)));
  });

  test.each(['README.md', 'README.ko.md'])('is found from %s', (readme) => {
    const own = readme === 'README.md' ? english : english.map(koreanOf);
    expect(own.filter((file) => !read(readme).includes(`](${file}`))).toEqual([]);
  });
});

describe.each(papers)('%s', (file) => {
  const text = read(file);

  test('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, run, short]) => run ?? short);
    expect(named.filter((name) => !name || !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('tells nobody to type what no test runs, or says why: test/support/commands.ts', () => {
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
    const named = [...text.matchAll(/`((?:functions|infra|sandbox|scripts|storefront|test)\/[\w./-]*)`/g)].map(
      ([, path]) => path ?? '',
    );
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

test.each(['docs/deploy.md', 'docs/deploy.ko.md'])('the configuration in %s is one', (file) => {
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(read(file)) ?? [];
  expect(() => readSettings(JSON.parse(example))).not.toThrow();
});

test.each(Object.entries(commands))('%s is run by a test that knows what it runs, or has a reason', (command, by) => {
  if ('because' in by) return expect(by.because).toMatch(/^[A-Z].{20,}\.$/);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const [, name] = /^npm (?:run )?(.+)$/.exec(command) ?? [];
  const file = name && /[\w./-]+\.ts\b|test\/\w+$/.exec(scripts[name] ?? '')?.[0];
  // The file that it runs, that test itself among them; or the command by its name.
  const isItself = file !== undefined && by.test.startsWith(file ?? '-');
  expect(isItself || read(by.test).includes(file ? basename(file) : (name ?? command)), command).toBe(true);
});

describe.each(['docs/threats.md', 'docs/threats.ko.md'])('%s', (file) => {
  const rows = read(file)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);
  const tests = testTexts();

  test('names for every attack a test that makes it, or an invariant of the simulation', () => {
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) {
      const proof = row.split(' | ').at(-1) ?? '';
      const named = [...proof.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      expect(named.length > 0 || /S\d/.test(proof), row).toBe(true);
      expect(
        named.filter((name) => !tests.includes(name)),
        row,
      ).toEqual([]);
    }
  });
});

/** The names of all tests, and what they do. */
const testTexts = (): string =>
  // Another test installs packages beside its own at the same time.
  globSync('test/**/*.test.ts', { cwd: root, exclude: (path) => path.endsWith('node_modules') })
    .filter((path) => path !== 'test/docs.test.ts')
    .map(read)
    .join('\n');

/** What is in code, of several words: the name of a test. */
const testsNamedIn = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name).filter((name) => /^[^/{]+( [^/{]+){3,}$/.test(name));

test.each(['docs/faq.md', 'docs/faq.ko.md'])('%s cites where it was asked, and names a test that answers', (file) => {
  const texts = testTexts();
  const [, ...questions] = read(file).split(/^## /m);
  expect(questions.length).toBeGreaterThan(14);
  for (const question of questions) {
    const [, shown = ''] = /^(?:Shown by|확인): (.+)$/m.exec(question) ?? [];
    const named = [...shown.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(named.length, question).toBeGreaterThan(0);
    expect(named.filter((name) => !texts.includes(name))).toEqual([]);
  }
  expect(questions.filter((question) => /\]\(https:/.test(question)).length).toBeGreaterThan(13);
});

test.each(['docs/deploy.md', 'docs/deploy.ko.md'])(
  '%s has the whole checklist, and names only tests that are',
  (file) => {
    const texts = testTexts();
    const rows =
      read(file)
        .split(/^### /m)[1]
        ?.match(/^\| .*/gm) ?? [];
    expect(rows).toHaveLength(31);
    const named = rows.flatMap(testsNamedIn);
    expect(named.length).toBeGreaterThan(12);
    expect(named.filter((name) => !texts.includes(name))).toEqual([]);
  },
);

/** As GitHub makes anchors of them. */
const headingsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
