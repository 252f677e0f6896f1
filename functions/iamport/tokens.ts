/**
 * The access token of Iamport's API: in memory, else the one that all instances share, else a new one.
 * Iamport hands out the same token until it ends, so sharing only saves the call.
 */

import type { Clock, Deadline } from '../edge/clock.ts';

export interface Token {
  readonly value: string;
  /** Milliseconds since 1970, by our clock: when it was received plus how long Iamport said it lives. */
  readonly expiresAt: number;
}

/** Where instances share the token. Losing it costs a call, never a payment. */
export interface SharedToken {
  read(): Promise<Token | undefined>;
  write(token: Token): Promise<void>;
}

export interface Tokens {
  /** A token that should work. */
  current(deadline: Deadline): Promise<string>;
  /** Another token than `refused`, which Iamport answered with 401. */
  insteadOf(refused: string, deadline: Deadline): Promise<string>;
}

/** In its last minute Iamport extends a token by five, so that is when to ask again. */
const renewBeforeMs = 60_000;

/** @param fetchToken asks Iamport for a token (`POST /users/getToken`) */
export function tokensFrom(
  fetchToken: (deadline: Deadline) => Promise<Token>,
  shared: SharedToken,
  clock: Clock,
): Tokens {
  let known: Token | undefined;
  /** One fetch at a time: everybody who needs a token meanwhile waits for it. */
  let underWay: Promise<Token> | undefined;

  const lives = (token: Token | undefined): token is Token =>
    token !== undefined && token.expiresAt - clock.now() > renewBeforeMs;

  const fetched = async (deadline: Deadline): Promise<Token> => {
    const token = await fetchToken(deadline);
    // The next instance asks Iamport itself if this write is lost.
    await shared.write(token).catch(() => undefined);
    return token;
  };

  const obtain = async (deadline: Deadline, refused?: string): Promise<Token> => {
    const other = await shared.read().catch(() => undefined);
    return lives(other) && other.value !== refused ? other : await fetched(deadline);
  };

  const once = (deadline: Deadline, refused?: string): Promise<Token> => {
    underWay ??= obtain(deadline, refused).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };

  return {
    async current(deadline) {
      if (!lives(known)) known = await once(deadline);
      return known.value;
    },
    async insteadOf(refused, deadline) {
      if (!lives(known) || known.value === refused) known = await once(deadline, refused);
      return known.value;
    },
  };
}
