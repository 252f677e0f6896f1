/**
 * `npm run openapi`: writes docs/openapi.json from the code, and its tables into docs/http.md and its translation. A test fails when
 * they are out of date.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Language } from '../functions/shared/language.ts';
import { HTTP_FUNCTION_ENTRIES } from '../infra/function-table.ts';
import { type Pair, tableOf, withParts } from './generated.ts';
import { openapi } from './openapi/document.ts';
import { PROBLEM_CODES, statusOf } from './openapi/responses.ts';
import { ROUTES, type RouteName } from './openapi/routes.ts';

const root = join(import.meta.dirname, '..');
export const OPENAPI_FILE = join(root, 'docs/openapi.json');
export const HTTP_DOCS: Pair = { en: 'docs/http.md', ko: 'docs/http.ko.md' };

export const openapiText = (): string => `${JSON.stringify(openapi(), null, 2)}\n`;

/** The text that the document should have. */
export const withRoutes = (language: Language): string => withParts(HTTP_DOCS[language], { routes: table(language) });

const HEADS: Record<Language, readonly string[]> = {
  en: ['route', 'purpose', 'key', 'responses', 'problems'],
  ko: ['경로', '용도', '키', '응답', '오류'],
};

function table(language: Language): string {
  const rows = HTTP_FUNCTION_ENTRIES.flatMap(([, { routes, right }]) =>
    routes.map(({ method, path }) => {
      const { summary, responses, problems } = ROUTES[`${method} ${path}` as RouteName];
      const codes = PROBLEM_CODES.filter((code) => code in problems);
      const codesCell = codes.map((code) => `${statusOf(code)}\u00a0\`${code}\``).join(', ');
      return [
        `\`${method} ${path}\``,
        summary[language],
        right ? `\`${right}\`` : '',
        Object.keys(responses).join(', '),
        codesCell,
      ];
    }),
  );
  return tableOf(HEADS[language], rows);
}

if (import.meta.main) {
  writeFileSync(OPENAPI_FILE, openapiText());
  for (const language of ['en', 'ko'] as const) writeFileSync(join(root, HTTP_DOCS[language]), withRoutes(language));
}
