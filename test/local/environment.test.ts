/** The environment variables of `npm start` and of the operator's command. */

import { expect, test } from 'vitest';
import { localPort, terminalLanguage } from '../../local/environment.ts';

test.each([
  [undefined, '3000'],
  ['', '3000'],
  [' ', '3000'],
  ['3100', '3100'],
  ['0', '0'],
  ['http', 'http'],
])('the port of PORT=%j is %s', (PORT, port) => {
  expect(localPort({ PORT })).toBe(port);
});

test.each([
  [{}, 'en'],
  [{ LANG: 'C.UTF-8' }, 'en'],
  [{ LANG: 'ko_KR.UTF-8' }, 'ko'],
  [{ LC_ALL: 'en_US.UTF-8', LANG: 'ko_KR.UTF-8' }, 'en'],
  [{ LC_ALL: 'ko_KR.UTF-8', LANG: 'en_US.UTF-8' }, 'ko'],
  [{ LC_ALL: '', LANG: 'ko_KR.UTF-8' }, 'ko'],
])('the language of a terminal with %j is %s', (environment, language) => {
  expect(terminalLanguage(environment)).toBe(language);
});
