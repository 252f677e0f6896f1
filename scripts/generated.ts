/** What scripts write into the papers: parts between two marks, and tables. Knows no paper. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Language = 'en' | 'ko';

/** Each paper as a pair, below the root of the project. */
export type Pair = Readonly<Record<Language, string>>;

const root = join(import.meta.dirname, '..');

/**
 * The paper as it should be.
 * @param parts by the names of their marks, `<!-- name -->` and `<!-- /name -->`
 * @throws Error when the paper has no place for one of them
 */
export function withParts(file: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce(
    (text, [name, part]) => {
      const place = new RegExp(`(?<=<!-- ${name} -->\\n)[\\s\\S]*?(?=<!-- /${name} -->)`);
      if (!place.test(text)) throw new Error(`${file} has no place between <!-- ${name} --> and <!-- /${name} -->`);
      return text.replace(place, () => `\n${part}\n\n`);
    },
    readFileSync(join(root, file), 'utf8'),
  );
}

/** A table in Markdown. */
export const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
