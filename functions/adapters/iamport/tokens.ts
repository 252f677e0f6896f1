import type { Clock, Deadline, Random } from '../../shared/clock.ts';

export interface Token {
  readonly value: string;
  /** Milliseconds since 1970, by our clock: when it was received plus how long Iamport said it lives. */
  readonly expiresAt: number;
}

/** Where instances share the token. Losing it costs a call, never a payment. */
export interface SharedToken {
  read(): Promise<Token | undefined>;
  /**
   * Asks to be the one who fetches the next token.
   * @param seen what is to be replaced
   * @returns `claimed: false`, with the token that is there now, when somebody has replaced it or is about to
   */
  claim(seen: Token | undefined, now: number): Promise<Claim>;
  /** Ends the claim. @param refused the token that does not work, and so gives way however long it should live */
  write(token: Token, refused?: string): Promise<void>;
}

export type Claim = { readonly claimed: true } | { readonly claimed: false; readonly now?: Token };

export interface Tokens {
  /** A token that should work. */
  current(deadline: Deadline): Promise<string>;
  /** Another token than `refused`, which Iamport answered with 401. */
  insteadOf(refused: string, deadline: Deadline): Promise<string>;
}

/** In its last minute Iamport extends a token by five, so that is when to ask again. */
const renewBeforeMs = 60_000;
/** Longer than one call may take: what lives that long is good for one. */
const callMs = 5_000;
/** Whoever waits for another instance's token looks this often, on average. */
const lookAgainMs = 100;

/** @param fetchToken asks Iamport for a token (`POST /users/getToken`) */
export function tokensFrom(
  fetchToken: (deadline: Deadline) => Promise<Token>,
  shared: SharedToken,
  clock: Clock,
  random: Random,
): Tokens {
  let known: Token | undefined;
  /** One fetch at a time: everybody who needs a token meanwhile waits for it. */
  let underWay: Promise<Token> | undefined;

  const lives = (token: Token | undefined, atLeastMs: number): token is Token =>
    token !== undefined && token.expiresAt - clock.now() > atLeastMs;

  const fetched = async (deadline: Deadline, refused?: string): Promise<Token> => {
    const token = await fetchToken(deadline);
    // The next instance asks Iamport itself if this write is lost.
    await shared.write(token, refused).catch(() => undefined);
    return token;
  };

  /** Of many instances that find no token, one fetches it. The others wait for up to half of their time, and then do it too. */
  const obtain = async (deadline: Deadline, refused?: string): Promise<Token> => {
    const waitUntilLeftMs = deadline.leftMs() / 2;
    const works = (token: Token | undefined, atLeastMs: number): token is Token =>
      lives(token, atLeastMs) && token.value !== refused;
    try {
      for (;;) {
        const seen = await shared.read();
        if (works(seen, renewBeforeMs)) return seen;
        const claim = await shared.claim(seen, clock.now());
        if (claim.claimed) break;
        // While somebody renews it, the old one still works.
        if (works(claim.now, callMs)) return claim.now;
        if (deadline.leftMs() < waitUntilLeftMs) break;
        await clock.sleep(lookAgainMs * (0.5 + random()));
      }
    } catch {
      // The table is there to save a call. Without it there is one more.
    }
    return fetched(deadline, refused);
  };

  const once = async (deadline: Deadline, refused?: string): Promise<Token> => {
    while (underWay !== undefined) {
      // Who began may have had less time than we have, as at init.
      const theirs = await underWay.catch(() => undefined);
      if (theirs && theirs.value !== refused) return theirs;
    }
    underWay = obtain(deadline, refused).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };

  return {
    async current(deadline) {
      if (!lives(known, renewBeforeMs)) known = await once(deadline);
      return known.value;
    },
    async insteadOf(refused, deadline) {
      if (!lives(known, renewBeforeMs) || known.value === refused) known = await once(deadline, refused);
      return known.value;
    },
  };
}
