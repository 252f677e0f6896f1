/** Runs the operator's command in this process, and collects its output. */

import { Readable } from 'node:stream';
import { main } from '../../ops/cli.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param typed input at a terminal; without it, stdin is not a terminal */
export async function runOperator(args: readonly string[], typed?: string): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  const to = (name: keyof typeof output) => ({
    write(text: string) {
      output[name] += text;
    },
  });
  const stdin = Object.assign(Readable.from(typed === undefined ? [] : [typed]), { isTTY: typed !== undefined });
  const code = await main(args, { stdout: to('stdout'), stderr: to('stderr'), stdin });
  return { code, ...output };
}
