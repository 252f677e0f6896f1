/** Money that the shop gives back of a payment that it took: what is recorded, and how much can be given back. Pure. */

import { type Amount, minus, plus } from './money.ts';
import { isSettled, keptBy, type Order } from './order.ts';
import { type Cancel, isDeposit, type Payment, type PaymentRecord, type UnixSeconds } from './payment.ts';

/** The buyer's account that a deposit goes back to. Passed on to Iamport, never stored. */
export interface RefundAccount {
  readonly holder: string;
  /** The bank's code, as Iamport has it. */
  readonly bank: string;
  readonly number: string;
  /** The holder's telephone number; the virtual accounts of some PGs need it. */
  readonly tel?: string;
}

/** Who asks for the refund: the buyer, or the shop's staff. Naver Pay requires it. */
export type RefundRequester = 'customer' | 'admin';

/**
 * `unsent`: Iamport surely received nothing, so the same key starts afresh; never shown.
 * `refused`: by the PG or overtaken, and a second look minutes later found no entry of this refund.
 */
export type RefundState = 'requested' | 'done' | 'refused' | 'unsent';

/** Why a refund is refused. `overtaken`: the payment changed, so that the refund's checksum no longer holds. */
export type RefundRefusalReason = 'refused_by_pg' | 'overtaken';

/**
 * What a `requested` refund waits for besides time. `account`: the same request again, with the buyer's account.
 * `repeat`: the same request again. `operator`: the payment's history does not show whose cancel it was.
 */
export type RefundNeed = 'account' | 'repeat' | 'operator';

/** The tax parts of an amount, as Iamport takes them. Absent parts are not sent; 0 is sent. */
export interface TaxParts {
  readonly taxFree?: Amount;
  readonly vatAmount?: Amount;
}

export interface Refund extends TaxParts {
  readonly impUid: string;
  /** The shop's own name for this refund: the same key never gives back twice. */
  readonly key: string;
  /** 12 base-36 characters, derived from `impUid` and `key`: the identity of the cancel in the payment's history. */
  readonly cancelKey: string;
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  /** What was kept when it was asked for. Iamport gives back nothing when its own figure differs. */
  readonly checksum: Amount;
  /** How many cancels the payment had when the refund was asked for. */
  readonly cancelsBefore: number;
  /** The shop's words, which the console and the buyer's bank are told. */
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
  /** When a refusal was first seen. It is final after the next look. */
  readonly refusedAt?: UnixSeconds;
  readonly refusal?: RefundRefusalReason;
  readonly needs?: RefundNeed;
  readonly message?: string;
  readonly createdAt: UnixSeconds;
  readonly updatedAt: UnixSeconds;
  /** When the reconciler looks at the refund next. */
  readonly dueAt?: UnixSeconds;
}

/** Ordered by precedence. */
export type RefundRefusal =
  | 'not_paid'
  | 'refund_exceeds'
  | 'account_missing'
  | 'tax_parts_exceed'
  | 'tax_parts_unknown';

export interface RefundWish extends TaxParts {
  /** Undefined for all that is left. */
  readonly amount?: Amount | undefined;
  readonly hasAccount: boolean;
  /** The other refunds of the order. */
  readonly others: readonly Refund[];
}

export type DecidedRefund = Pick<Refund, 'amount' | 'checksum' | 'impUid'> & TaxParts;

/** How much of an order can be given back now, and which tax parts go with it. */
export function decideRefund(order: Order, wish: RefundWish): DecidedRefund | RefundRefusal {
  const { state } = order;
  if (!isSettled(state)) return 'not_paid';
  const checksum = keptBy(order, state);
  if (checksum === 0) return 'not_paid';
  const others = wish.others.filter(({ impUid }) => impUid === state.impUid);
  // A PG that pays back later leaves the payment unchanged until then, so its checksum does not stop a second refund.
  const isPending = isPendingOf(state.record);
  const left = minus(checksum, sum(others.filter(isPending).map(({ amount }) => amount)));
  const amount = wish.amount ?? left;
  if (left <= 0 || amount > left) return 'refund_exceeds';
  if (isDeposit(state.record) && !wish.hasAccount) return 'account_missing';
  const earlier = others.filter((other) => other.state === 'done' || isPending(other));
  const parts = partsOf(order, wish, { amount, checksum, left, earlier });
  if (typeof parts === 'string') return parts;
  if (sum([parts.taxFree ?? zero, parts.vatAmount ?? zero]) > amount) return 'tax_parts_exceed';
  return { amount, checksum, impUid: state.impUid, ...parts };
}

const zero = 0 as Amount;
const sum = (amounts: readonly Amount[]): Amount => amounts.reduce(plus, zero);

/** The PG may still pay it back, and the payment's checksum does not show it. */
const isPendingOf =
  (record: PaymentRecord) =>
  ({ state, acceptedAt, needs }: Refund): boolean =>
    state === 'requested' && needs !== 'operator' && (acceptedAt !== undefined || isDeferred(record));

/** Cancels of this method may only be registered at the PG, and processed on the next business day: API description of the cancel. */
export const isDeferred = (record: PaymentRecord): boolean => isDeposit(record) || record.payMethod === 'phone';

/**
 * The shop's own parts where it sent some. A refund of all that is left takes what earlier refunds left of the order's parts;
 * that is unknown where money went back by another way, such as the console.
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
  if (minus(order.amount, sum(done)) !== checksum) return 'tax_parts_unknown';
  const rest = (whole: Amount, taken: (part: TaxParts) => Amount | undefined) =>
    minus(whole, sum(earlier.map((part) => taken(part) ?? zero)));
  const parts = {
    ...(order.taxFree !== undefined && { taxFree: rest(order.taxFree, (part) => part.taxFree) }),
    ...(order.vatAmount !== undefined && { vatAmount: rest(order.vatAmount, (part) => part.vatAmount) }),
  };
  const isPossible = Object.values(parts).every((part) => part >= 0) && sum(Object.values(parts)) <= amount;
  return isPossible ? parts : 'tax_parts_unknown';
}

/** UTF-8 bytes of a cancel's reason. Some PGs cut at 100. */
const maxReasonBytes = 100;

/**
 * The reason that is sent with the cancel: the key first, so that a PG that cuts the text leaves it. The shop's words are
 * reduced to what PGs store unchanged: NFC, the basic plane, no control characters.
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

/** The whole key of some refund, as it was sent. */
const anyKey = /\[k[0-9a-z]{12}\]/i;

/** Is the refund's own cancel in the history? By its key alone. */
export const isInHistory = (refund: Refund, { cancels = [] }: Payment): boolean =>
  cancels.some((cancel) => carries(cancel, refund));

/** A PG may strip the brackets or change the case, so only the key itself is compared. */
const carries = ({ reason }: Cancel, { cancelKey }: Pick<Refund, 'cancelKey'>): boolean =>
  reason?.toLowerCase().includes(`k${cancelKey}`) ?? false;

/**
 * What the payment shows of a refund.
 * `done`: its cancel is in the history. `unchanged`: nothing moved since it was asked for, so its checksum still holds.
 * `overtaken`: other money moved, and none for this refund. `unclear`: it cannot be told whose cancel an entry is.
 */
export type RefundFinding = 'done' | 'unchanged' | 'overtaken' | 'unclear';

/**
 * Looks for a refund in the payment's history: first by its key, alone. A PG may replace the whole reason, so a second evidence
 * counts: exactly one new entry without the key of another refund, of this amount, and no other refund that it could be.
 * @param others the other refunds of the order
 */
export function refundFoundIn(refund: Refund, payment: Payment, others: readonly Refund[]): RefundFinding {
  const cancels = payment.cancels ?? [];
  if (isInHistory(refund, payment)) return 'done';
  const fresh = cancels.slice(refund.cancelsBefore);
  const { amount, checksum } = refund;
  const kept = keptOf(payment);
  if (kept === checksum) return fresh.length === 0 ? 'unchanged' : 'unclear';
  // The bank has taken a deposit back: the payment has no money that a cancel could have moved.
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

/** Does Iamport's own answer to the cancel show that just this amount was taken off? The checksum lets no other one come between. */
export const isTakenOff = (refund: Refund, after: Payment): boolean =>
  keptOf(after) === minus(refund.checksum, refund.amount);

const keptOf = ({ state }: Payment): Amount => (state.kind === 'kept' ? state.kept : zero);

export const refundId = ({ impUid, key }: Pick<Refund, 'impUid' | 'key'>): string => `${impUid}/${key}`;

export const isRefundId = (id: string): boolean => id.includes('/');
