/** The access token of Iamport's API. All Lambda instances share one. */

import type { Clock, Deadline, Random } from '../../shared/clock.ts';

export interface Token {
  readonly value: string;
  /** Milliseconds since 1970, by our clock: the time of receipt plus the lifetime that Iamport returned. */
  readonly expiresAt: number;
}

/** The token that the instances share. Its loss costs one more call and never a payment. */
export interface SharedToken {
  read(): Promise<StoredToken>;
  /**
   * Claims the fetch of the next token.
   * @param seen the token to replace
   * @param now milliseconds since 1970
   * @returns `claimed: false` with the stored token when another instance has replaced `seen`, or is fetching it
   */
  claim(seen: Token | undefined, now: number): Promise<Claim>;
  /**
   * Writes the token and ends the claim.
   * @param refused a token that Iamport refused; it is replaced whatever its expiry
   */
  write(token: Token, refused?: string): Promise<void>;
}

export interface StoredToken {
  readonly token?: Token;
  /** Until then an instance fetches the next token. Milliseconds since 1970. */
  readonly claimedUntil?: number;
}

export type Claim = { readonly claimed: true } | { readonly claimed: false; readonly current?: Token | undefined };

export interface Tokens {
  /** @returns a token that has not expired */
  current(deadline: Deadline): Promise<string>;
  /** @returns another token than `refused`, for which Iamport returned 401 */
  replace(refused: string, deadline: Deadline): Promise<string>;
}

/** In the last minute of a token, Iamport extends it by five minutes. So it is fetched again then. */
const renewBeforeMs = 60_000;
/** Longer than the time-out of one call: a token with this lifetime is enough for one call. */
const callMs = 5_000;
/** The average interval between two reads while another instance fetches the token. */
const pollMs = 100;

/** @param fetchToken calls `POST /users/getToken` */
export function tokensFrom(
  fetchToken: (deadline: Deadline) => Promise<Token>,
  shared: SharedToken,
  clock: Clock,
  random: Random,
): Tokens {
  let known: Token | undefined;
  /** One fetch at a time. Other calls wait for it. */
  let pending: Promise<Token> | undefined;

  const lives = (token: Token | undefined, atLeastMs: number): token is Token =>
    token !== undefined && token.expiresAt - clock.now() > atLeastMs;

  const fetched = async (deadline: Deadline, refused?: string): Promise<Token> => {
    const token = await fetchToken(deadline);
    // If this write fails, the next instance fetches the token itself.
    await shared.write(token, refused).catch(() => undefined);
    return token;
  };

  /** One of the instances without a token fetches it. The others wait up to half of their time, then fetch it too. */
  const obtain = async (deadline: Deadline, refused?: string): Promise<Token> => {
    const waitUntilLeftMs = deadline.leftMs() / 2;
    const works = (token: Token | undefined, atLeastMs: number): token is Token =>
      lives(token, atLeastMs) && token.value !== refused;
    try {
      for (;;) {
        const { token: seen, claimedUntil } = await shared.read();
        if (works(seen, renewBeforeMs)) return seen;
        // While a claim is live, the conditional write would fail, and cost as much as one that succeeds.
        const isClaimed = claimedUntil !== undefined && claimedUntil >= clock.now();
        const claim: Claim = isClaimed ? { claimed: false, current: seen } : await shared.claim(seen, clock.now());
        if (claim.claimed) break;
        // While another instance renews the token, the old one still works.
        if (works(claim.current, callMs)) return claim.current;
        if (deadline.leftMs() < waitUntilLeftMs) break;
        await clock.sleep(pollMs * (0.5 + random()));
      }
    } catch {
      // The table only saves a call.
    }
    return fetched(deadline, refused);
  };

  const once = async (deadline: Deadline, refused?: string): Promise<Token> => {
    while (pending !== undefined) {
      // This fetch may fail for a shorter deadline than ours, such as the one of init.
      const token = await pending.catch(() => undefined);
      if (token && token.value !== refused) return token;
    }
    pending = obtain(deadline, refused).finally(() => {
      pending = undefined;
    });
    return pending;
  };

  return {
    async current(deadline) {
      if (!lives(known, renewBeforeMs)) known = await once(deadline);
      return known.value;
    },
    async replace(refused, deadline) {
      if (!lives(known, renewBeforeMs) || known.value === refused) known = await once(deadline, refused);
      return known.value;
    },
  };
}
