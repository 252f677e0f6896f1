/** What every subcommand gets, and what it gives back. */

import type { Deployment } from './deployment.ts';
import type { Language, Say } from './messages.ts';
import type { ExitCode, Terminal } from './terminal.ts';

export interface Options {
  readonly amount?: string | undefined;
  readonly reason?: string | undefined;
  readonly account?: string | undefined;
  readonly key?: string | undefined;
  readonly queue: boolean;
}

export interface Call {
  /** What follows the subcommand, such as a `merchant_uid`. */
  readonly subject: string;
  readonly options: Options;
  readonly deployment: Deployment;
  readonly language: Language;
  readonly say: Say;
  /** What was asked for: for a person, or as JSON. */
  readonly answer: (text: string, value: object) => void;
  /** What goes on meanwhile. */
  readonly note: (text: string) => void;
  /** Whether to go on, once it was said what would be done. */
  readonly mayGoOn: (what: string) => Promise<boolean>;
  readonly terminal: Terminal;
}

export type Command = (call: Call) => Promise<ExitCode>;
