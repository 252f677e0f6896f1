/**
 * `npm run configuration`: writes the table of the configuration into docs/configuration.md and its Korean twin, from the schema and
 * its words. A test says when it has to be run again.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationKeys } from '../infra/config.ts';
import { CONFIGURATION_WORDS } from '../infra/config-descriptions.ts';
import { PROJECT_ROOT } from '../infra/context.ts';
import { type Language, tableOf, withParts } from './generated.ts';

const HEADS: Record<Language, readonly string[]> = {
  en: ['key', 'allowed', 'default', 'meaning'],
  ko: ['키', '허용 값', '기본값', '의미'],
};
const REQUIRED: Record<Language, string> = { en: 'required', ko: '필수' };

export const configurationPapers = { en: 'docs/configuration.md', ko: 'docs/configuration.ko.md' } as const;

/** The paper as it should be. @throws Error when it has no place for the table */
export const withTable = (language: Language): string =>
  withParts(configurationPapers[language], { keys: table(language) });

function table(language: Language): string {
  const rows = configurationKeys().map(({ key, default: value, words }) => {
    const { allowed = words.map((word) => code(JSON.stringify(word))).join(', '), meaning } =
      CONFIGURATION_WORDS[language][key];
    return [code(key), allowed, value === undefined ? REQUIRED[language] : code(value), meaning];
  });
  return tableOf(HEADS[language], rows);
}

const code = (text: string): string => `\`${text}\``;

if (import.meta.main) {
  for (const [language, file] of Object.entries(configurationPapers)) {
    writeFileSync(join(PROJECT_ROOT, file), withTable(language as Language));
  }
}
