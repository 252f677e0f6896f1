/** The input and the result of every subcommand. */

import type { Language } from '../functions/shared/language.ts';
import type { Deployment } from './deployment.ts';
import type { MessageFor } from './messages.ts';
import type { ExitCode, Terminal } from './terminal.ts';

export interface Options {
  readonly amount?: string | undefined;
  readonly 'tax-free'?: string | undefined;
  readonly 'vat-amount'?: string | undefined;
  readonly reason?: string | undefined;
  readonly account?: string | undefined;
  readonly key?: string | undefined;
  readonly queue: boolean;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly after?: string | undefined;
  readonly 'dry-run': boolean;
}

export interface Call {
  /** The argument after the subcommand, such as a `merchant_uid`. */
  readonly subject: string;
  /** The argument after the subject: a URL or its host. Empty without one. */
  readonly target: string;
  readonly options: Options;
  readonly deployment: Deployment;
  readonly language: Language;
  readonly messageFor: MessageFor;
  /** Writes the result to stdout: `text`, or with --json the value. */
  readonly print: (text: string, value: object) => void;
  /** Writes a line to stderr while the command works. */
  readonly progress: (text: string) => void;
  /** Describes an action and asks the operator to confirm it. @returns whether to continue */
  readonly confirm: (action: string) => Promise<boolean>;
  readonly terminal: Terminal;
}

export type Command = (call: Call) => Promise<ExitCode>;
