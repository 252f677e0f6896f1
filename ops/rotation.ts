/** `rotate` and `retire`: change a secret in two steps, and both of its texts are valid between them. */

import type { Call } from './command.ts';
import type { MessageFor } from './messages.ts';
import type { SecretStore, SecretTexts } from './secret-store.ts';
import { type ExitCode, exit, Misuse } from './terminal.ts';

export type Step = 'rotate' | 'retire';

type MessageKey = Parameters<MessageFor>[0];

export interface Rotation {
  readonly store: SecretStore;
  /** @returns a new random text */
  readonly generate: () => string;
  /** Prints the texts that are valid from now on. */
  readonly show: (secret: SecretTexts) => ExitCode;
  /** The questions before each step. */
  readonly question: Readonly<Record<Step, MessageKey>>;
  /** Why a step is refused, with the code for --json. */
  readonly refusal: Readonly<Record<Step, { readonly message: MessageKey; readonly code: string }>>;
}

/**
 * @param name the subcommand
 * @returns undefined without a step
 * @throws Misuse for another argument
 */
export function stepOf({ subject }: Call, name: string): Step | undefined {
  if (subject === '') return undefined;
  if (subject === 'rotate' || subject === 'retire') return subject;
  throw new Misuse({
    ko: `${name} 뒤에는 rotate나 retire만 쓸 수 있습니다: ${subject}`,
    en: `${name} takes rotate, retire or no argument, not ${subject}`,
  });
}

/** Refuses `rotate` while a previous text is valid, since its users would be cut off, and `retire` without one. */
export async function change(call: Call, step: Step, rotation: Rotation): Promise<ExitCode> {
  const { store, generate, show, question, refusal } = rotation;
  if (!(await call.confirm(call.messageFor(question[step])))) return exit.notConfirmed;
  // Read after the question: another operator may have changed the secret meanwhile.
  const { current, previous } = await store.read();
  if ((step === 'rotate') === (previous !== undefined)) {
    const { message, code } = refusal[step];
    call.print(`${call.messageFor(message)}\n`, { code });
    return exit.refused;
  }
  const next = step === 'rotate' ? { current: generate(), previous: current } : { current };
  await store.write(next);
  return show(next);
}
