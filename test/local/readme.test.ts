/** Runs the calls of both READMEs unchanged in a shell, against the running local system. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type System, startSystem } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

const read = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');

/** Replaces the default ports by those of this system. */
const localized = (script: string): string =>
  script.replaceAll('http://127.0.0.1:3000', system.url).replaceAll('http://127.0.0.1:3001', system.iamport.url);

const run = (script: string) => promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script]);

/** The shell blocks with a curl call, in the order of the document. */
const callsIn = (text: string): string =>
  [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .map(([, block = '']) => block)
    .filter((block) => block.includes('curl'))
    .join('\n');

test.each([
  ['README.md', 'order-1001', 'Your payment is complete.'],
  ['README.ko.md', 'order-1002', '결제가 완료되었습니다.'],
])('the calls of %s register an order, pay it and complete the payment', async (file, merchantUid, message) => {
  const { stdout } = await run(localized(callsIn(read(file))).replaceAll('order-1001', merchantUid));
  const responses = [...stdout.matchAll(/\{"status":"paid","imp_uid":.*?\}/g)].map(([response]) =>
    JSON.parse(response),
  );
  expect(responses).toEqual([
    expect.objectContaining({ status: 'paid', merchant_uid: merchantUid, amount: 14_000, currency: 'KRW', message }),
  ]);
  expect((await system.shop('GET', merchantUid)).json).toMatchObject({ status: 'paid', name: expect.any(String) });
  // The response printed in the document has the same fields.
  const [, shown = ''] = /```json\n(\{"status":"paid".*\})\n```/.exec(read(file)) ?? [];
  expect(Object.keys(responses[0])).toEqual(Object.keys(JSON.parse(shown)));
});

test.each(['docs/README.md', 'docs/README.ko.md'])('the inline curl calls of %s succeed', async (file) => {
  const calls = [...read(file).matchAll(/`curl ([^`]*http:[^`]*)`/g)].map(([, call = '']) => call);
  expect(calls.length).toBeGreaterThan(0);
  for (const call of calls) await expect(run(localized(`curl --fail -s ${call}`))).resolves.toHaveProperty('stdout');
});
