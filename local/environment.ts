/** Environment variables that `npm start` and the operator's command with `--local` read alike. An empty variable counts as unset. */

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the port of the local system as the environment has it, unchecked; the fake Iamport listens on the next one */
export const localPort = ({ PORT = '' }: Environment): string => PORT.trim() || '3000';
