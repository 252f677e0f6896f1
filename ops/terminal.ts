/** What the command reads from and writes to: a terminal, or a test in its place. */

import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';

export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** The exit codes, for scripts. Documented in docs/operate.md. */
export const exit = { done: 0, fault: 1, misuse: 2, refused: 3, notConfirmed: 4, found: 5 } as const;
export type ExitCode = (typeof exit)[keyof typeof exit];

/** What the caller wrote makes no sense: told in one line, with the way to the help. */
export class Misuse extends Error {}

/** Asks before money moves. Without a terminal nobody can answer, and the answer is no. */
export async function isConfirmed(question: string, { stdin, stderr }: Terminal): Promise<boolean> {
  if (!stdin.isTTY) return false;
  stderr.write(`${question} [y/N] `);
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return /^\s*(?:y|yes|예|네)\s*$/i.test(line);
    return false;
  } finally {
    lines.close();
  }
}

/**
 * Says every few seconds how long somebody has been waiting, so that what takes long does not look dead.
 * @param everyMs milliseconds
 */
export async function waited<Value>(
  work: Promise<Value>,
  note: (text: string) => void,
  everyMs = 5_000,
): Promise<Value> {
  const begin = performance.now();
  const timer = setInterval(() => note(`… ${Math.round((performance.now() - begin) / 1000)} s`), everyMs);
  return work.finally(() => clearInterval(timer));
}

/** Columns for a person. @param rows the first is the heading */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** Korean letters are two columns wide. */
const widthOf = (text: string): number =>
  [...text].reduce(
    (sum, letter) => sum + (/[\u1100-\u11ff\u3000-\u9fff\uac00-\ud7af\uff00-\uff60]/.test(letter) ? 2 : 1),
    0,
  );
