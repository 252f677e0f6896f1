/** One check of `doctor`. */

import type { Language } from '../functions/shared/language.ts';
import type { Call } from './command.ts';
import { messageOf } from './terminal.ts';

export interface CheckResult {
  readonly ok: boolean;
  /** Possibly correct: printed with the remedy, but does not fail the command. */
  readonly isWarning?: boolean;
  readonly found: string;
  /** Replaces the usual remedy of the check. */
  readonly remedy?: string;
}

export interface Check extends CheckResult {
  readonly name: string;
}

/** @returns undefined when the deployment has nothing to check, such as the local system without a stack */
export type RunCheck = (call: Call) => Promise<Check | undefined>;

export const localized = ({ language }: { readonly language: Language }, ko: string, en: string): string =>
  language === 'ko' ? ko : en;

/** @param run the check; if it throws, the error is the finding */
export const check =
  (
    name: readonly [string, string],
    remedy: readonly [string, string],
    run: (call: Call) => Promise<CheckResult | undefined>,
  ): RunCheck =>
  async (call) => {
    const texts = { name: localized(call, ...name), remedy: localized(call, ...remedy) };
    return run(call).then(
      (result) => result && { ...texts, ...result },
      (error: unknown) => ({ ...texts, ok: false, found: messageOf(error) }),
    );
  };
