/** Environment variables that `npm start` and the operator's command read alike. An empty variable counts as unset. */

import { parseArgs } from 'node:util';
import type { Language } from '../functions/shared/language.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the port of the local system as the environment has it, unchecked; the fake Iamport listens on the next one */
export const localPort = ({ PORT = '' }: Environment): string => PORT.trim() || '3000';

/** LC_ALL overrides LANG, as in POSIX. */
export const terminalLanguage = ({ LC_ALL, LANG }: Environment): Language =>
  /^ko/.test(LC_ALL || LANG || '') ? 'ko' : 'en';

/** The language of --lang, else of the environment. Invalid arguments do not throw: their error is printed in this language. */
export function languageOf(argv: readonly string[], environment: Environment): Language {
  const { values } = parseArgs({ args: [...argv], options: { lang: { type: 'string' } }, strict: false });
  return values.lang === 'ko' || values.lang === 'en' ? values.lang : terminalLanguage(environment);
}
