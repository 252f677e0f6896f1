/** `npm run openapi`: writes docs/openapi.json from the code, and its tables into docs/http.md and its Korean twin. A test says when. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { doorEntries } from '../infra/function-table.ts';
import { type Language, type Pair, tableOf, withParts } from './generated.ts';
import { problemCodes, statusOf } from './openapi/answers.ts';
import { openapi } from './openapi/document.ts';
import { type RouteName, routes } from './openapi/routes.ts';

const root = join(import.meta.dirname, '..');
export const openapiFile = join(root, 'docs/openapi.json');
export const httpPapers: Pair = { en: 'docs/http.md', ko: 'docs/http.ko.md' };

export const openapiText = (): string => `${JSON.stringify(openapi(), null, 2)}\n`;

/** The paper as it should be. */
export const withRoutes = (language: Language): string => withParts(httpPapers[language], { routes: table(language) });

const heads: Record<Language, readonly string[]> = {
  en: ['route', 'what for', 'signed', 'answers', 'problems'],
  ko: ['경로', '용도', '서명', '응답', '오류'],
};

function table(language: Language): string {
  const signs = { en: { true: 'yes', false: '' }, ko: { true: '필요', false: '' } }[language];
  const rows = doorEntries.flatMap(([, { routes: ofDoor, signed }]) =>
    ofDoor.map(({ method, path }) => {
      const { summary, answers, problems } = routes[`${method} ${path}` as RouteName];
      const codes = problemCodes.filter((code) => code in problems);
      const told = codes.map((code) => `${statusOf(code)}\u00a0\`${code}\``).join(', ');
      return [`\`${method} ${path}\``, summary[language], signs[`${signed}`], Object.keys(answers).join(', '), told];
    }),
  );
  return tableOf(heads[language], rows);
}

if (import.meta.main) {
  writeFileSync(openapiFile, openapiText());
  for (const language of ['en', 'ko'] as const) writeFileSync(join(root, httpPapers[language]), withRoutes(language));
}
