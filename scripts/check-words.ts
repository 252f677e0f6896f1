/**
 * The rule for prose of CONTRIBUTING.md, as far as a program can check it: no retired word and no verb of speech for a machine in
 * comments, in messages of errors, in test names and in English docs; and in docs of both languages no text that GitHub strikes
 * through. `npm run lint` runs it. Exits 1 with every place.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each word with what to write in its place. */
const RETIRED: readonly (readonly [pattern: string, instead: string])[] = [
  ['somebody|nobody|whoever', 'name the actor: caller, buyer, operator, shop, Lambda, DynamoDB, Iamport'],
  ['told|tells?', 'return, publish, log, send, report'],
  ['doors?', 'handler, endpoint, function'],
  ['rooms?', 'dependencies'],
  ['walls?', 'import boundary'],
  ['walks?', 'scan'],
  ['rehears\\w*', 'priming'],
  ['stand-ins?', 'fake Iamport'],
  ['strangers?', 'unknown sender'],
  ['papers?', 'docs'],
  ['bedlam|barrage|weather', 'chaos, fuzz, faults'],
];
const words = RETIRED.map(([pattern, instead]) => ({ regex: new RegExp(`\\b(?:${pattern})\\b`, 'gi'), instead }));

const ROOT = join(import.meta.dirname, '..');
/** The rule and its table name the words themselves. */
const EXEMPT: readonly string[] = ['CONTRIBUTING.md', 'scripts/check-words.ts'];

interface Finding {
  readonly line: number;
  readonly word: string;
  readonly instead: string;
}

/** Parts of Markdown that are not prose: code, the targets of links, HTML. */
const markup = /```[\s\S]*?```|`[^`\n]*`|\]\([^)]*\)|<[^>\n]*>/g;

/** @returns the text with every character blanked that is not prose: line numbers stay */
function proseOf(file: string, text: string): string {
  if (file.endsWith('.md')) return blanked(text, markup);
  const kept =
    /(?<=^|\s)\/\*[\s\S]*?\*\/|(?<=^|[\s;{}()])\/\/[^\n]*|\b(?:new [A-Z]\w*|it|test|describe)(?:\.\w+\([^)]*\))?\(\s*(?:'\w+',\s*)?(['"`])(?:\\.|(?!\1)[^\\])*\1/gm;
  const prose = new Array<string>(text.length).fill(' ');
  for (const { index, 0: found } of text.matchAll(kept)) prose.splice(index, found.length, ...found.split(''));
  for (let at = 0; at < text.length; at += 1) if (text[at] === '\n') prose[at] = '\n';
  return blanked(prose.join(''), /`[^`\n]*`/g);
}

const blanked = (text: string, what: RegExp, by = ' '): string =>
  text.replaceAll(what, (found) => found.replaceAll(/[^\n]/g, by));

/** The retired words. @param file decides what of the text is prose */
export function retiredIn(file: string, text: string): Finding[] {
  const prose = proseOf(file, text);
  return words.flatMap(({ regex, instead }) =>
    [...prose.matchAll(regex)].map(({ index, 0: word }) => ({
      line: prose.slice(0, index).split('\n').length,
      word,
      instead,
    })),
  );
}

/**
 * The paragraphs, list items and rows of tables with two `~` that touch a character: GitHub strikes through the text between them. A
 * range of numbers in Korean is the usual cause.
 * @returns the first line of each
 */
export function strikesIn(markdown: string): Finding[] {
  // Code beside a `~` counts as a character, so it is not blanked with spaces.
  const blocks = blanked(markdown, markup, 'x').split(/\n(?=\s*(?:[|#>*+-]|\d+\.|\n|$))/);
  let line = 1;
  return blocks.flatMap((block) => {
    const found = {
      line,
      word: '~',
      instead: 'put a space on each side, or GitHub strikes through the text between two',
    };
    line += block.split('\n').length;
    const touching = block.match(/(?<!\\)(?:(?<=\S)~|~(?=\S))/g) ?? [];
    return touching.length > 1 ? [found] : [];
  });
}

/** Every file of the project that may have prose. */
const projectFiles = (): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => /\.(?:ts|mjs|js|cjs|md)$/.test(file) && !file.startsWith('bench/contestants/'))
    // A file that is deleted and not yet committed is still listed.
    .filter((file) => !EXEMPT.includes(file) && existsSync(join(ROOT, file)));

if (import.meta.main) {
  const lines = projectFiles().flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const retired = file.endsWith('.ko.md') ? [] : retiredIn(file, text);
    const strikes = file.endsWith('.md') ? strikesIn(text) : [];
    return [...retired, ...strikes].map(({ line, word, instead }) => `${file}:${line}  "${word}": ${instead}`);
  });
  for (const line of lines) console.error(line);
  if (lines.length > 0) {
    console.error(`${lines.length} places in comments, errors, test names or docs: see "Words" in CONTRIBUTING.md.`);
    process.exitCode = 1;
  }
}
