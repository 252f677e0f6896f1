/** Reads JSON files that people edit. An error names the file, the line and the column. */
import { readFileSync } from 'node:fs';
import { ConfigurationError } from './config.ts';

/**
 * @param path of the file
 * @param name of the file, for errors
 * @returns the parsed value, or undefined when there is no such file
 * @throws ConfigurationError when the file cannot be read, or is not JSON
 */
export function readJsonFile(path: string, name: string): unknown {
  let text: string;
  try {
    // Editors on Windows may write a byte order mark, which JSON.parse rejects.
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ConfigurationError([`${name} cannot be read: ${message}`], { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError([problemIn(text, name)], { cause });
  }
}

interface Expectation {
  readonly at: number;
  readonly expected: string;
}

/**
 * JSON.parse reports no position for most errors, so the text is read once more up to the first error.
 * @param text that JSON.parse rejects
 */
export function problemIn(text: string, name: string): string {
  const { at, expected } = firstError(text);
  const lines = text.slice(0, at).split('\n');
  const found = at < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0)) : 'the end';
  return `${name}, line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}: expected ${expected}, found ${found}`;
}

const SPACE = /[ \t\r\n]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows no control characters in a text.
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** @param text that JSON.parse rejects */
function firstError(text: string): Expectation {
  let at = 0;
  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  /** Reads a character after spaces. */
  const next = (character: string): boolean => {
    match(SPACE);
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const string = (expected: string): Expectation | undefined => {
    match(SPACE);
    if (text[at] !== '"') return { at, expected };
    return match(STRING) ? undefined : { at, expected: `${expected} that ends with " on the same line` };
  };
  /** Members of an object or an array, after its first bracket. */
  const members = (end: string, member: () => Expectation | undefined): Expectation | undefined => {
    if (next(end)) return undefined;
    do {
      const error = member();
      if (error) return error;
    } while (next(','));
    return next(end) ? undefined : { at, expected: `"," or "${end}"` };
  };
  const property = (): Expectation | undefined =>
    string('a name in double quotes') ?? (next(':') ? value() : { at, expected: '":"' });
  const value = (): Expectation | undefined => {
    if (next('{')) return members('}', property);
    if (next('[')) return members(']', value);
    if (text[at] === '"') return string('a text');
    return match(SCALAR) ? undefined : { at, expected: 'a value' };
  };
  const error = value();
  match(SPACE);
  return error ?? { at, expected: 'the end of the file' };
}
