/** The environment variables of `npm start` and of the operator's command with --local. */

import { expect, test } from 'vitest';
import { localPort } from '../../local/environment.ts';

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
