/**
 * `npm run configuration`: writes the table of the configuration into docs/configuration.md and its translation, from the schema and
 * its descriptions. A test fails when the docs are out of date.
 */

import type { Language } from '../functions/shared/language.ts';
import { configurationKeys } from '../infra/config.ts';
import { CONFIGURATION_DESCRIPTIONS } from '../infra/config-descriptions.ts';
import { tableOf, withParts, writeParts } from './generated.ts';

const HEADS: Record<Language, readonly string[]> = {
  en: ['key', 'allowed', 'default', 'meaning'],
  ko: ['키', '허용 값', '기본값', '의미'],
};
const REQUIRED: Record<Language, string> = { en: 'required', ko: '필수' };
const NONE: Record<Language, string> = { en: 'none', ko: '없음' };
/** The default of a key that has no value as its default. */
const without = (key: string) => (key === 'storefront.origins' ? REQUIRED : NONE);

export const CONFIGURATION_DOCS = { en: 'docs/configuration.md', ko: 'docs/configuration.ko.md' } as const;

const parts = (language: Language) => ({ keys: table(language) });

/** The text that the document should have. @throws Error when it has no marks for the table */
export const withTable = (language: Language): string => withParts(CONFIGURATION_DOCS[language], parts(language));

function table(language: Language): string {
  const rows = configurationKeys().map(({ key, default: value, values }) => {
    const { allowed = values.map((each) => code(JSON.stringify(each))).join(', '), meaning } =
      CONFIGURATION_DESCRIPTIONS[language][key];
    return [code(key), allowed, value === undefined ? without(key)[language] : code(value), meaning];
  });
  return tableOf(HEADS[language], rows);
}

const code = (text: string): string => `\`${text}\``;

if (import.meta.main) writeParts(CONFIGURATION_DOCS, parts);
