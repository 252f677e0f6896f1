/** The files of the configuration: which one is read, and the errors of one that is not JSON. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import flags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../infra/config.ts';
import { configurationSource, featureFlags } from '../../infra/context.ts';
import { problemIn } from '../../infra/json-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'configuration-'));
const write = (file: string, text: string) => writeFileSync(join(directory, file), text);
afterEach(() => rmSync(join(directory, 'iamport.json'), { force: true }));
afterAll(() => rmSync(directory, { recursive: true }));

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

test('the named file is read before iamport.json, and that before cdk.json', () => {
  write('cdk.json', '{"app": "node infra/app.ts", "context": {"iamport": {"shopName": "cdk.json"}}}');
  expect(configurationSource(undefined, directory)).toEqual({ file: 'cdk.json', iamport: { shopName: 'cdk.json' } });
  write('iamport.json', '\uFEFF{"shopName": "iamport.json"}');
  expect(configurationSource(undefined, directory)).toEqual({
    file: 'iamport.json',
    iamport: { shopName: 'iamport.json' },
  });
  write('staging.json', '{"shopName": "staging.json"}');
  expect(configurationSource('staging.json', directory).iamport).toEqual({ shopName: 'staging.json' });
});

test('without any file there is no configuration', () => {
  const empty = mkdtempSync(join(directory, 'empty-'));
  expect(configurationSource(undefined, empty)).toEqual({ file: 'cdk.json', iamport: undefined });
});

test('a named file that does not exist, or is a directory, is an error', () => {
  expect(problemsOf(() => configurationSource('missing.json', directory))).toEqual([
    `missing.json does not exist. -c config=<file> names a JSON file, relative to ${directory}`,
  ]);
  expect(problemsOf(() => configurationSource('.', directory))).toEqual([
    expect.stringMatching(/^\. cannot be read: EISDIR/),
  ]);
});

test('the feature flags of the CDK are those with which the project began', () => {
  // A flag that only a later library knows changes resources of deployments that exist.
  const added = Object.keys(flags).filter((name) => !Object.hasOwn(featureFlags(), name));
  const removed = Object.keys(featureFlags()).filter((name) => !Object.hasOwn(flags, name));
  const advice =
    'The installed aws-cdk-lib knows other feature flags than cdk.json. Add a new flag to cdk.json as false, unless the diff of the template snapshot with true is one that every deployment can take; remove a flag that the library no longer knows';
  expect({ added, removed }, advice).toEqual({ added: [], removed: [] });
});

describe('broken JSON', () => {
  const problemInFile = (text: string) => {
    write('iamport.json', text);
    return problemsOf(() => configurationSource(undefined, directory))[0];
  };

  test('in cdk.json is reported with its name', () => {
    write('cdk.json', '{"context": ');
    expect(problemsOf(() => configurationSource(undefined, directory))).toEqual([
      'cdk.json, line 1, column 13: expected a value, found the end',
    ]);
  });

  test.each([
    ['', 'line 1, column 1: expected a value, found the end'],
    ['{\n  "shopName": shop\n}', 'line 2, column 15: expected a value, found "s"'],
    ['{\n  shopName: "a"\n}', 'line 2, column 3: expected a name in double quotes, found "s"'],
    ['{\r\n  "shopName" "a"\r\n}', 'line 2, column 14: expected ":", found "\\""'],
    ['{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3: expected "," or "}", found "\\""'],
    ['{"a": [1, 2,]}', 'line 1, column 13: expected a value, found "]"'],
    ['{"a": [1 2]}', 'line 1, column 10: expected "," or "]", found "2"'],
    ['{"a": 1,\n}', 'line 2, column 1: expected a name in double quotes, found "}"'],
    ['{"a": 1}\n// 주석', 'line 2, column 1: expected the end of the file, found "/"'],
    ['{"a": "가게\n"}', 'line 1, column 7: expected a text that ends with " on the same line, found "\\""'],
    ['{"a": “가게”}', 'line 1, column 7: expected a value, found "“"'],
    ['{"a": 01}', 'line 1, column 7: expected a value, found "0"'],
    ['{"a": "\\x"}', 'line 1, column 7: expected a text that ends with " on the same line, found "\\""'],
    ['{"a": {"b": true}', 'line 1, column 18: expected "," or "}", found the end'],
  ])('%j', (text, problem) => {
    expect(problemInFile(text)).toBe(`iamport.json, ${problem}`);
  });

  test('is found wherever a character is removed, replaced or added', () => {
    const text = '{\n  "a": [true, null, -1.5e3, "x\\u0041\\n가"],\n  "b": {"c": {}, "d": []}\n}\n';
    const variants = [...text].flatMap((_, at) =>
      ['', '"', ',', '\\'].flatMap((by) => [
        text.slice(0, at) + by + text.slice(at + 1),
        text.slice(0, at) + by + text.slice(at),
      ]),
    );
    const broken = variants.filter((variant) => !isJson(variant));
    expect(broken.length).toBeGreaterThan(300);
    for (const variant of broken) {
      const problem = problemIn(variant, 'iamport.json');
      expect(problem, variant).toMatch(/^iamport\.json, line \d+, column \d+: expected .+, found /);
      expect(problem, variant).not.toContain('expected the end of the file, found the end');
    }
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
