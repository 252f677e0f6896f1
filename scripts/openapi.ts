/** `npm run openapi`: writes docs/openapi.json from the code, and its tables into docs/http.md and its Korean twin. A test says when. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { doorEntries } from '../infra/doors.ts';
import { problemCodes, statusOf } from './openapi/answers.ts';
import { openapi } from './openapi/document.ts';
import { type RouteName, routes } from './openapi/routes.ts';

type Language = 'en' | 'ko';

const root = join(import.meta.dirname, '..');
export const openapiFile = join(root, 'docs/openapi.json');
export const httpPapers = { en: 'docs/http.md', ko: 'docs/http.ko.md' } as const;

export const openapiText = (): string => `${JSON.stringify(openapi(), null, 2)}\n`;

/** The paper as it should be. @throws Error when it has no place for the tables */
export function withRoutes(language: Language): string {
  const text = readFileSync(join(root, httpPapers[language]), 'utf8');
  const place = /(?<=<!-- routes -->\n)[\s\S]*?(?=<!-- \/routes -->)/;
  if (!place.test(text))
    throw new Error(`${httpPapers[language]} has no place between <!-- routes --> and <!-- /routes -->`);
  return text.replace(place, () => `\n${table(language)}\n\n`);
}

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
  return [heads[language], heads[language].map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

if (import.meta.main) {
  writeFileSync(openapiFile, openapiText());
  for (const language of ['en', 'ko'] as const) {
    if (existsSync(join(root, httpPapers[language])))
      writeFileSync(join(root, httpPapers[language]), withRoutes(language));
  }
}
