/** Environment variables that `npm start` and the operator's command read alike. An empty variable counts as unset. */

import type { Language } from '../functions/shared/language.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the port of the local system as the environment has it, unchecked; the fake Iamport listens on the next one */
export const localPort = ({ PORT = '' }: Environment): string => PORT.trim() || '3000';

/** LC_ALL overrides LANG, as in POSIX. */
export const terminalLanguage = ({ LC_ALL, LANG }: Environment): Language =>
  /^ko/.test(LC_ALL || LANG || '') ? 'ko' : 'en';
