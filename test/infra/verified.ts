/** Runs `verify` in a process of its own. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** @returns the exit code, and the lines of the output */
export function verified(url: string): Promise<{ code: unknown; lines: string[] }> {
  const command = [join(import.meta.dirname, '../../ops/cli.ts'), 'verify', '--local', '--url', url, '--lang', 'en'];
  return new Promise((resolve) => {
    execFile(process.execPath, command, (error, stdout) =>
      resolve({ code: error?.code ?? 0, lines: stdout.split('\n') }),
    );
  });
}
