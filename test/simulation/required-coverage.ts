/** The coverage that a long run must have: every rule, every call at which an instance can die, every fault and every actor. */

import type { Coverage } from './coverage.ts';
import { faultKinds } from './faults.ts';
import { pendingWorlds, type Scope, type WorldName, worldNames } from './worlds/choice.ts';

/** The rows of `decide`: the state of the payment, and the decision. */
const rows = [
  'awaiting_deposit → account_superseded, manual',
  'awaiting_deposit → account_superseded, revoke',
  'awaiting_deposit → amount_mismatch, manual',
  'awaiting_deposit → amount_mismatch, revoke',
  'awaiting_deposit → deposit_mismatch, manual',
  'awaiting_deposit → deposit_reversed',
  'awaiting_deposit → duplicate_payment, manual',
  'awaiting_deposit → duplicate_payment, nothing to undo',
  'awaiting_deposit → duplicate_payment, revoke',
  'awaiting_deposit → keep',
  'awaiting_deposit → order_closed, manual',
  'awaiting_deposit → order_closed, revoke',
  'awaiting_deposit → order_not_found',
  'awaiting_deposit → test_payment, nothing to undo',
  'awaiting_deposit → virtual_account_issued',
  'failed → failed',
  'failed → keep',
  'failed → order_not_found',
  'kept → amount_mismatch, cancel',
  'kept → amount_mismatch, manual',
  'kept → currency_mismatch, cancel',
  'kept → currency_mismatch, manual',
  'kept → deposit_excess, manual',
  'kept → deposit_mismatch, manual',
  'kept → duplicate_payment, cancel',
  'kept → duplicate_payment, manual',
  'kept → duplicate_payment, nothing to undo',
  'kept → keep',
  'kept → order_closed, cancel',
  'kept → order_closed, manual',
  'kept → order_closed, nothing to undo',
  'kept → order_not_found',
  'kept → paid',
  'kept → partial_cancelled',
  'kept → predates_deployment',
  'kept → test_payment, nothing to undo',
  'ready → keep',
  'ready → order_not_found',
  'returned → cancelled',
  'returned → keep',
  'returned → money_returned',
  'returned → order_not_found',
  'returned → ready',
];

/** Every kind of call of an instance. The instance can die before and after each. */
const calls = [
  'bus.put',
  'iamport DELETE /vbanks',
  'iamport GET /payments',
  'iamport GET /payments/find',
  'iamport GET /payments/findAll',
  'iamport GET /payments/prepare',
  'iamport GET /payments/status',
  'iamport POST /payments/cancel',
  'iamport POST /payments/prepare',
  'iamport POST /users/getToken',
  'orders.due',
  'orders.read',
  'orders.readMany',
  'orders.write orderIsNew',
  'orders.write revisionIsUnchanged',
  'reversals.byOrder',
  'reversals.due',
  'reversals.read',
  'reversals.write isNew',
  'reversals.write supersedes,lastIsOldEnough',
  'reversals.write revisionIsUnchanged',
  'state.madeAt',
  'state.read',
  'state.readMany',
  'state.write isBetter',
  'state.write isNew',
  'state.write isNewOrUnchanged',
  'state.write isUnclaimed,isAsSeen',
];

/** The actions of the actors, and the responses to their requests. */
const actions: Readonly<Record<string, readonly string[]>> = {
  bank: ['a deposit returns', 'takes a deposit back'],
  buyer: [
    'fails',
    'fails, and is approved later',
    'leaves',
    'pays',
    'pays a forged amount',
    'pays by a test channel',
    'pays in a forged currency',
    'takes a fixed account',
    'takes an account',
    'takes an account by a test channel',
    'takes an account of a forged amount',
  ],
  close: ['204', '404', '409', '500', '502', '503'],
  complete: ['200', '404', '409', '500', '502', '503'],
  confirm: ['200', '409', '500', '503'],
  console: ['cancels a part', 'cancels all', 'revokes an account'],
  'fixed account': ['a part', 'exact', 'less', 'more', 'once more'],
  outcome: [
    'cancelled',
    'deposit_reversed',
    'failed',
    'paid',
    'partial_cancelled',
    'ready',
    'rejected',
    'virtual_account_issued',
  ],
  phone: [
    'cancelled',
    'deposit_reversed',
    'failed',
    'paid',
    'partial_cancelled',
    'ready',
    'rejected',
    'unconfirmed',
    'virtual_account_issued',
  ],
  refund: ['200', '202', '404', '409', '500', '502', '503'],
  'unknown sender': ['bad input', 'claims paid', 'escrow event', 'other order', 'unknown payment'],
};

/** The events of each world, and the judgements of the invariants that it exercises. */
const inWorld: Readonly<Record<WorldName, readonly string[]>> = {
  'shop table': [
    ...['changes the price for a while', 'changes the price of what has just been paid', 'deletes the item'],
    ...['lets the item grow', 'reads the item too often', 'spoils our status', 'spoils the price'],
    ...['writes the item whole', 'writes the item whole, as it was before'],
  ]
    .map((action) => `shop: ${action}`)
    .concat('judged: L14'),
  backlog: ['backlog: expires', 'backlog: reversal', 'backlog: waits for an unknown payment'],
  'many attempts': ['attempts: hundreds', 'attempts: of an order that cannot be read'],
  'broken attempt': ['attempt: half a won'],
  lists: ['page: refused', 'page: too large', 'payments of an order: too large'],
  'slow pg': ['slow pg: days', 'slow pg: hours', 'slow pg: minutes', 'judged: accepted, performed later'],
  'pg words': ['ascii', 'cut', 'same', 'trimmed', 'without wide characters'].map((how) => `pg words: ${how}`),
  'pg denies': ['pg denies: performs at once', 'pg denies: performs later'],
  'late bank': ['late bank: days', 'late bank: hours', 'late bank: minutes', 'judged: L13'],
  'two shops': [
    'neighbour: issues an account',
    'neighbour: registers an amount',
    'neighbour: sells another number',
    'neighbour: sells the same number',
    'judged: S21',
    'judged: S21, late registration',
  ],
  throttled: ['received 429 with retry-after'],
  'float noise': [],
  webhooks: [
    ...[
      'accepted',
      'accepted again',
      'accepted late',
      'accepted, answer lost',
      'failed',
      'gone',
      'not answered',
      'refused',
    ].map((reaction) => `webhook: ${reaction}`),
    ...['webhook post', 'sqs hide', 'sqs dead letter'].flatMap((call) => [`dies before ${call}`, `dies after ${call}`]),
    ...['dead letter: after a 410', 'dead letter: after three days', 'judged: L21', 'judged: L22'],
  ],
  'lost cancels': ['lost cancel: the answer', 'lost cancel: the request'],
  'pg forgets': ['pg forgets: a cancel'],
  'lost records': ['lost records: a write'],
  'late refunds': ['late refund: a refusal', 'late refund: the answer'],
  'adopted table': ['adopted: an item after its payment', 'adopted: an order', 'judged: S31'],
  'two refunds': ['two refunds: at once', 'two refunds: one after the other', 'judged: S32'],
  'short tokens': ['short tokens: before a request'],
  'dead cancels': ['dead cancel: a refusal', 'dead cancel: the instance'],
  'repeated refunds': ['repeated refund: the request'],
  redeployed: [
    ...['a call to the earlier version', 'a registration is refused', 'orderPrefix is removed', 'orderPrefix is set'],
    'the PG refuses a cancel once',
    ...['reversals are automatic', 'reversals are manual', 'test payments are accepted', 'test payments are refused'],
  ]
    .map((what) => `redeployed: ${what}`)
    .concat(
      ['S34, accepted before', 'S34, handed over', 'S34, performed later', 'S35, ignored'].map(
        (what) => `judged: ${what}`,
      ),
    ),
};

/** The judgements of the invariants that need no world. */
const judged = [
  'L15, Refund No Longer Required',
  'L15, Refund Refused',
  'L16',
  'L17',
  'L23',
  'S20',
  'S24',
  'S26',
  'S33',
  'S34',
  'S35',
];

const expected = [
  ...rows.map((row) => `row: ${row}`),
  ...calls.flatMap((call) => [`dies before ${call}`, `dies after ${call}`]),
  ...faultKinds.map((fault) => `fault: ${fault}`),
  ...Object.entries(actions).flatMap(([actor, all]) => all.map((action) => `${actor}: ${action}`)),
  ...judged.map((invariant) => `judged: ${invariant}`),
];

/** @returns the required events of a run of 20,000 scenarios or more that did not happen */
export function missingFrom(coverage: Coverage, { pending, only }: Scope): string[] {
  const entered = only ?? worldNames.filter((world) => pending || !pendingWorlds.has(world));
  const ofWorlds = entered.flatMap((world) => [`world: ${world}`, ...inWorld[world]]);
  return [...expected, ...ofWorlds].filter((what) => !coverage.counts.has(what));
}
