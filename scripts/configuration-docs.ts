/**
 * `npm run configuration`: writes the table of the configuration into docs/configuration.md and its Korean twin, from the schema and
 * its words. A test says when it has to be run again.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationKeys } from '../infra/config.ts';
import { CONFIGURATION_WORDS } from '../infra/config-words.ts';
import { PROJECT_ROOT } from '../infra/context.ts';

type Language = keyof typeof CONFIGURATION_WORDS;

const HEADS: Record<Language, readonly string[]> = {
  en: ['key', 'allowed', 'default', 'meaning'],
  ko: ['키', '허용 값', '기본값', '의미'],
};
const REQUIRED: Record<Language, string> = { en: 'required', ko: '필수' };

export const configurationPapers = { en: 'docs/configuration.md', ko: 'docs/configuration.ko.md' } as const;

/** The paper as it should be. @throws Error when it has no place for the table */
export function withTable(language: Language): string {
  const file = configurationPapers[language];
  const text = readFileSync(join(PROJECT_ROOT, file), 'utf8');
  const place = /(?<=<!-- keys -->\n)[\s\S]*?(?=<!-- \/keys -->)/;
  if (!place.test(text)) throw new Error(`${file} has no place between <!-- keys --> and <!-- /keys -->`);
  return text.replace(place, () => `\n${table(language)}\n\n`);
}

function table(language: Language): string {
  const rows = configurationKeys().map(({ key, default: value, words }) => {
    const { allowed = words.map((word) => code(JSON.stringify(word))).join(', '), meaning } =
      CONFIGURATION_WORDS[language][key];
    return [code(key), allowed, value === undefined ? REQUIRED[language] : code(value), meaning];
  });
  return [HEADS[language], HEADS[language].map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

const code = (text: string): string => `\`${text}\``;

if (import.meta.main) {
  for (const [language, file] of Object.entries(configurationPapers)) {
    writeFileSync(join(PROJECT_ROOT, file), withTable(language as Language));
  }
}
