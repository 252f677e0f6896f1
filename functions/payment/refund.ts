/** Refunds that the shop requests: the recorded data, and the rules for the refundable amount. Pure. */

import { type Amount, minus, plus, zero } from './money.ts';
import { isSettled, keptBy, type Order } from './order.ts';
import { type Cancel, isDeposit, type Payment, type PaymentRecord, type UnixSeconds } from './payment.ts';

/** The buyer's account to which a deposit is refunded. It is sent to Iamport and never stored. */
export interface RefundAccount {
  readonly holder: string;
  /** Iamport's code of the bank. */
  readonly bank: string;
  readonly number: string;
  /** The holder's telephone number; the virtual accounts of some PGs need it. */
  readonly tel?: string;
}

/** Who requests the refund: the buyer, or the shop's staff. Naver Pay requires it. */
export type RefundRequester = 'customer' | 'admin';

/**
 * `unsent`: Iamport certainly received nothing, so the same key starts a new refund; never shown.
 * `refused`: by the PG at the only attempt, and a second check minutes later found no entry of this refund.
 */
export type RefundState = 'requested' | 'done' | 'refused' | 'unsent';

/** The code of a PG's refusal. Stored and published in place of the PG's text. */
export type PgRefusal = 'refused_by_pg';

/**
 * The input that a `requested` refund waits for. `account`: the same request again, with the buyer's account.
 * `repeat`: the same request again. `operator`: the payment does not show whether the refund was made.
 */
export type RefundNeed = 'account' | 'repeat' | 'operator';

/** The tax parts of an amount, as Iamport takes them. Absent parts are not sent; 0 is sent. */
export interface TaxParts {
  readonly taxFree?: Amount;
  readonly vatAmount?: Amount;
}

export interface Refund extends TaxParts {
  readonly impUid: string;
  /** The shop's idempotency key: the same key never refunds twice. */
  readonly key: string;
  /** 12 base-36 characters, derived from `impUid` and `key`. They identify the cancel in the payment's history. */
  readonly cancelKey: string;
  readonly merchantUid: string;
  /** The sub-merchant's code of the order, as in a reversal. */
  readonly tier?: string;
  readonly amount: Amount;
  readonly currency: string;
  /** The amount kept when the refund was requested. Iamport cancels nothing when its own amount differs. */
  readonly checksum: Amount;
  /** How many cancels the payment had when the refund was requested. */
  readonly cancelsBefore: number;
  /** The shop's text, which the console and the buyer's bank show. */
  readonly reason: string;
  readonly requester?: RefundRequester;
  readonly state: RefundState;
  /** Counts the writes of this item. */
  readonly revision: number;
  /** How often the cancel was sent, the claimed attempt included. */
  readonly attempts: number;
  /** When the latest attempt was claimed. */
  readonly sentAt: UnixSeconds;
  /** When Iamport accepted the cancel (`code` 0) without showing it in the payment. It is never sent again. */
  readonly acceptedAt?: UnixSeconds;
  /** When a refusal was first seen. The next check makes it final. */
  readonly refusedAt?: UnixSeconds;
  readonly refusal?: PgRefusal;
  readonly needs?: RefundNeed;
  readonly message?: string;
  readonly createdAt: UnixSeconds;
  readonly updatedAt: UnixSeconds;
  /** When the reconciler checks the refund next. */
  readonly nextCheckAt?: UnixSeconds;
}

/** Why this system does not send a refund. Ordered by precedence. */
export type RefundRefusal =
  | 'not_paid'
  | 'refund_exceeds'
  | 'account_missing'
  | 'tax_parts_exceed'
  | 'tax_parts_unknown';

export interface RefundWish extends TaxParts {
  /** Undefined for everything that is left. */
  readonly amount?: Amount | undefined;
  readonly hasAccount: boolean;
  /** The other refunds of the order. */
  readonly others: readonly Refund[];
}

export type DecidedRefund = Pick<Refund, 'amount' | 'checksum' | 'impUid'> & TaxParts;

/** Decides the amount of a refund and its tax parts, or why it cannot be made. */
export function decideRefund(order: Order, wish: RefundWish): DecidedRefund | RefundRefusal {
  const { state } = order;
  if (!isSettled(state)) return 'not_paid';
  const checksum = keptBy(order, state);
  if (checksum === 0) return 'not_paid';
  const others = wish.others.filter(({ impUid }) => impUid === state.impUid);
  // A PG that refunds later leaves the payment unchanged until then, so the checksum does not stop a second refund.
  const isPending = isPendingOf(state.record);
  const pending = sum(others.filter(isPending).map(({ amount }) => amount));
  const left = minus(minus(checksum, notShown(order.amount, checksum, others)), pending);
  const amount = wish.amount ?? left;
  if (left <= 0 || amount > left) return 'refund_exceeds';
  if (isDeposit(state.record) && !wish.hasAccount) return 'account_missing';
  const earlier = others.filter((other) => other.state === 'done' || isPending(other));
  const parts = partsOf(order, wish, { amount, checksum, left, earlier });
  if (typeof parts === 'string') return parts;
  if (sum([parts.taxFree ?? zero, parts.vatAmount ?? zero]) > amount) return 'tax_parts_exceed';
  return { amount, checksum, impUid: state.impUid, ...parts };
}

const sum = (amounts: readonly Amount[]): Amount => amounts.reduce(plus, zero);

/**
 * The amount that went back outside Iamport, such as by a transfer from the shop's bank: the operator has recorded the
 * refunds as done, and the payment still keeps their money.
 */
function notShown(amount: Amount, kept: Amount, refunds: readonly Refund[]): Amount {
  const done = sum(refunds.filter(({ state }) => state === 'done').map((refund) => refund.amount));
  const shown = minus(amount, kept);
  return done > shown ? minus(done, shown) : zero;
}

/** The PG may still make this refund, and the payment's checksum does not include it. */
const isPendingOf =
  (record: PaymentRecord) =>
  ({ state, acceptedAt, needs }: Refund): boolean =>
    state === 'requested' && (acceptedAt !== undefined || (needs !== 'operator' && isDeferred(record)));

/**
 * The refund may have been for everything that was left: what the payment kept beside it was at most the amount of the
 * refunds before it, which may have been in progress then.
 */
export function mayBeWhole(refund: Refund, others: readonly Refund[]): boolean {
  const earlier = others.filter(
    ({ impUid, key, createdAt }) => impUid === refund.impUid && key !== refund.key && createdAt <= refund.createdAt,
  );
  return minus(refund.checksum, refund.amount) <= sum(earlier.map(({ amount }) => amount));
}

/** What the payment keeps, without the other refunds that Iamport accepted or does not show, is enough for this one. */
export function fitsBeside(refund: Refund, payment: Payment, others: readonly Refund[]): boolean {
  const related = others.filter(({ impUid, key }) => impUid === refund.impUid && key !== refund.key);
  const accepted = related.filter(({ state, acceptedAt }) => state === 'requested' && acceptedAt !== undefined);
  const kept = keptOf(payment);
  const taken = plus(notShown(payment.amount, kept, related), sum(accepted.map(({ amount }) => amount)));
  return refund.amount <= minus(kept, taken);
}

/** The PG may process a cancel of this method on the next business day. Source: Iamport's API description, cancel. */
export const isDeferred = (record: PaymentRecord): boolean => isDeposit(record) || record.payMethod === 'phone';

/**
 * The tax parts that the shop sent. Without them, a refund of everything left has the rest of the order's parts after
 * the earlier refunds. The rest is unknown when money went back another way, such as in the console.
 */
function partsOf(
  order: Order,
  { taxFree, vatAmount }: RefundWish,
  { amount, checksum, left, earlier }: { amount: Amount; checksum: Amount; left: Amount; earlier: readonly Refund[] },
): TaxParts | 'tax_parts_unknown' {
  const hasOwn = taxFree !== undefined || vatAmount !== undefined;
  if (hasOwn) return { ...(taxFree !== undefined && { taxFree }), ...(vatAmount !== undefined && { vatAmount }) };
  const orderHasNone = order.taxFree === undefined && order.vatAmount === undefined;
  if (orderHasNone || amount < left) return {};
  const done = earlier.filter(({ state }) => state === 'done').map((other) => other.amount);
  if (minus(order.amount, sum(done)) > checksum) return 'tax_parts_unknown';
  const rest = (whole: Amount, taken: (part: TaxParts) => Amount | undefined) =>
    minus(whole, sum(earlier.map((part) => taken(part) ?? zero)));
  const parts = {
    ...(order.taxFree !== undefined && { taxFree: rest(order.taxFree, (part) => part.taxFree) }),
    ...(order.vatAmount !== undefined && { vatAmount: rest(order.vatAmount, (part) => part.vatAmount) }),
  };
  const isPossible = Object.values(parts).every((part) => part >= 0) && sum(Object.values(parts)) <= amount;
  return isPossible ? parts : 'tax_parts_unknown';
}

/** UTF-8 bytes of a cancel's reason. Some PGs truncate it at 100. */
const maxReasonBytes = 100;

/**
 * The reason that is sent with the cancel. The key comes first, so that a PG that truncates the text keeps it. The
 * shop's text is reduced to characters that PGs store unchanged: NFC, the basic plane, no control characters.
 */
export function cancelReasonOf({ reason, cancelKey }: Pick<Refund, 'reason' | 'cancelKey'>): string {
  const plain = reason
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\u{10000}-\u{10ffff}]|\p{Cs}/gu, '')
    .trim();
  const key = `[k${cancelKey}]`;
  let text = key;
  let bytes = key.length;
  for (const character of plain ? ` ${plain}` : '') {
    bytes += utf8Bytes(character.codePointAt(0) ?? 0);
    if (bytes > maxReasonBytes) break;
    text += character;
  }
  return text.trimEnd();
}

const utf8Bytes = (codePoint: number): number => (codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : 3);

/** The complete key of any refund, as it is sent. */
const anyKey = /\[k[0-9a-z]{12}\]/i;

/** The payment's history has a cancel with the key of this refund. */
export const isInHistory = (refund: Refund, { cancels = [] }: Payment): boolean =>
  cancels.some((cancel) => carries(cancel, refund));

/** A PG may strip the brackets or change the case, so only the key itself is compared. */
const carries = ({ reason }: Cancel, { cancelKey }: Pick<Refund, 'cancelKey'>): boolean =>
  reason?.toLowerCase().includes(`k${cancelKey}`) ?? false;

/**
 * The state of a refund in its payment.
 * `done`: its cancel is in the history. `unchanged`: no money moved since the request, so its checksum still matches.
 * `overtaken`: other money moved, and none for this refund. `unclear`: an entry may or may not be this refund's cancel.
 */
export type RefundFinding = 'done' | 'unchanged' | 'overtaken' | 'unclear';

/**
 * Finds a refund in the payment's history, first by its key. A PG may replace the whole reason. So a single new entry
 * without another refund's key also counts, when it has this amount and no other refund could match it.
 * @param others the other refunds of the order
 */
export function refundFoundIn(refund: Refund, payment: Payment, others: readonly Refund[]): RefundFinding {
  const cancels = payment.cancels ?? [];
  if (isInHistory(refund, payment)) return 'done';
  const fresh = cancels.slice(refund.cancelsBefore);
  const { amount, checksum } = refund;
  const kept = keptOf(payment);
  if (kept === checksum) return fresh.length === 0 ? 'unchanged' : 'unclear';
  // The bank took the deposit back, so the payment has no money to cancel.
  if (payment.state.kind !== 'kept' && payment.state.kind !== 'returned') return 'overtaken';
  const related = others.filter(({ impUid, key }) => impUid === refund.impUid && key !== refund.key);
  const keyless = fresh.filter(
    (cancel) => !anyKey.test(cancel.reason ?? '') && !related.some((other) => carries(cancel, other)),
  );
  const moved = checksum - kept;
  const isExplained = fresh.every((cancel) => cancel.amount !== undefined) && moved === sum(fresh.map(amountIn));
  if (!isExplained) return moved < amount ? 'overtaken' : 'unclear';
  const possible = keyless.filter((cancel) => cancel.amount === amount);
  if (possible.length === 0) return 'overtaken';
  const isRivalled = related.some(
    (other) =>
      (other.state === 'requested' || (other.state === 'done' && other.updatedAt >= refund.createdAt)) &&
      !cancels.some((cancel) => carries(cancel, other)),
  );
  return keyless.length === 1 && !isRivalled ? 'done' : 'unclear';
}

const amountIn = (cancel: Cancel): Amount => cancel.amount ?? zero;

/** Iamport's response shows that exactly this amount was cancelled. The checksum excludes a cancel in between. */
export const isTakenOff = (refund: Refund, after: Payment): boolean =>
  keptOf(after) === minus(refund.checksum, refund.amount);

const keptOf = ({ state }: Payment): Amount => (state.kind === 'kept' ? state.kept : zero);

/** Iamport certainly received no request for this refund. It is not shown, and its key may begin anew. */
export const isUnsent = ({ state }: Refund): boolean => state === 'unsent';

/**
 * The announced refunds of a payment, and those that only the index has: of another payment, or of a version that
 * announced none. The index is eventually consistent.
 */
export function joined(announced: readonly Refund[], indexed: readonly Refund[]): readonly Refund[] {
  const ids = new Set(announced.map(refundId));
  return [
    ...announced.filter((refund) => !isUnsent(refund)),
    ...indexed.filter((refund) => !ids.has(refundId(refund))),
  ];
}

/**
 * The refunds as the payment shows them. Between two checks, a refund that the PG has made is still recorded as
 * accepted, and the payment does not keep its amount any more.
 */
export function asIn(payment: Payment, refunds: readonly Refund[]): readonly Refund[] {
  // Otherwise an entry of the history may not be part of the kept amount yet.
  const isExplained = minus(payment.amount, keptOf(payment)) === sum((payment.cancels ?? []).map(amountIn));
  const isMade = (refund: Refund) => isExplained && refund.impUid === payment.impUid && isInHistory(refund, payment);
  return refunds.map((refund) => (isMade(refund) ? { ...refund, state: 'done' } : refund));
}

/** A function ends within 30 s, and its call of Iamport with it. Twice as long, since clocks differ. Seconds. */
const maxCall = 60;

/** A function may still be waiting for Iamport's response to this refund: every response, and its loss, is recorded. */
export const isBeingSent = ({ state, sentAt, acceptedAt, message }: Refund, now: UnixSeconds): boolean =>
  state === 'requested' && acceptedAt === undefined && message === undefined && now < sentAt + maxCall;

/** The id of a refund among reversals and refunds: `<imp_uid>/<key>`. */
export const refundId = ({ impUid, key }: Pick<Refund, 'impUid' | 'key'>): string => `${impUid}/${key}`;

export const isRefundId = (id: string): boolean => id.includes('/');
