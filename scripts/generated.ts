/** Writes generated parts into docs, each between two marks, and tables in Markdown. For scripts/ and bench/. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Language, Localized } from '../functions/shared/language.ts';

/** A document and its translation: paths below the root of the project. */
export type Pair = Localized;

const root = join(import.meta.dirname, '..');

/**
 * The text of a document with its generated parts replaced.
 * @param parts by the names of their marks, `<!-- name -->` and `<!-- /name -->`
 * @throws Error when the document has no such marks
 */
export function withParts(file: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce(
    (text, [name, part]) => {
      const between = new RegExp(`(?<=<!-- ${name} -->\\n)[\\s\\S]*?(?=<!-- /${name} -->)`);
      if (!between.test(text)) throw new Error(`${file} has no marks <!-- ${name} --> and <!-- /${name} -->`);
      return text.replace(between, () => `\n${part}\n\n`);
    },
    readFileSync(join(root, file), 'utf8'),
  );
}

/**
 * Writes generated parts into a document and its translation.
 * @throws Error when one of them has no marks for a part
 */
export function writeParts(docs: Pair, partsIn: (language: Language) => Readonly<Record<string, string>>): void {
  for (const language of ['en', 'ko'] as const) {
    writeFileSync(join(root, docs[language]), withParts(docs[language], partsIn(language)));
  }
}

/** A table in Markdown. */
export const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
