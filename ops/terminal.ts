/** The input and output of the command. A test passes its own. */

import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';
import type { Localized } from '../functions/shared/language.ts';

export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** The exit codes, for scripts. Documented in docs/operate.md. */
export const exit = { done: 0, fault: 1, misuse: 2, refused: 3, notConfirmed: 4, found: 5 } as const;
export type ExitCode = (typeof exit)[keyof typeof exit];

/** An error with a text for the operator in both languages: what failed, and what to do. */
export class OperatorError extends Error {
  readonly texts: Localized;

  constructor(texts: Localized, options?: ErrorOptions) {
    super(texts.en, options);
    this.texts = texts;
  }
}

/** The arguments are invalid. The command prints the text and a line about --help. */
export class Misuse extends OperatorError {}

/** The message of an error, with that of its cause. */
export const messageOf = (error: unknown): string =>
  error instanceof Error
    ? [error.message, error.cause instanceof Error && error.cause.message].filter(Boolean).join(': ')
    : String(error);

/** Whether AWS refused a call because the caller lacks a right. */
export const isWithoutRight = (error: unknown): boolean =>
  /AccessDenied|AuthorizationError|not authorized/i.test(`${Object(error).name} ${messageOf(error)}`);

/** Asks the operator to confirm before money moves. Without a terminal the result is false. */
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

/** Reports the elapsed time every few seconds, so that slow work does not look stuck. */
export async function withProgress<Value>(
  work: Promise<Value>,
  progress: (text: string) => void,
  everyMs = 5_000,
): Promise<Value> {
  const begin = performance.now();
  const timer = setInterval(() => progress(`… ${Math.round((performance.now() - begin) / 1000)} s`), everyMs);
  return work.finally(() => clearInterval(timer));
}

/**
 * Runs work that SIGINT (Ctrl-C) and SIGTERM abort, instead of ending the process, so that its `finally` blocks still run. Further
 * signals change nothing, since a terminal and npm both pass on the same Ctrl-C.
 * @param work must reject with the reason of its signal soon after that is aborted
 */
export async function interruptible<Value>(work: (interrupted: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const abort = (name: string) =>
    controller.abort(new OperatorError({ ko: `${name} 신호로 중단했습니다`, en: `Interrupted by ${name}` }));
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, abort);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of signals) process.off(name, abort);
  }
}

/** Aligns cells in columns. @param rows the first is the heading */
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
