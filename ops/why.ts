/** `npm run ops -- why`: reads an order and its payments, and prints the decision of each. */

import { IamportFault } from '../functions/application/faults.ts';
import { policyFor } from '../functions/application/policy.ts';
import { orderJson, refundJson, reversalJson } from '../functions/http/order-json.ts';
import { decide, type Policy } from '../functions/payment/decide.ts';
import { type Amount, majorUnits, minus } from '../functions/payment/money.ts';
import { isSettled, isSettledBy, type Order } from '../functions/payment/order.ts';
import type { Payment, UnixSeconds } from '../functions/payment/payment.ts';
import type { Refund } from '../functions/payment/refund.ts';
import type { Reversal } from '../functions/payment/reversal.ts';
import type { HandlerDependencies } from '../functions/runtime/dependencies.ts';
import { deadlineIn } from '../functions/shared/clock.ts';
import type { Call, Command } from './command.ts';
import { kindLabels, paymentLabels, reasonLabels, stateLabels, statusLabels } from './messages.ts';
import { exit } from './terminal.ts';

/** For all calls to Iamport together. Milliseconds. */
export const timeoutMs = 20_000;

interface OrderHistory {
  readonly order: Order | undefined;
  readonly payments: readonly Payment[];
  readonly policy: Policy;
  /** The error message when the call to Iamport failed. */
  readonly fault?: string;
  readonly reversals: readonly Reversal[];
  readonly refunds: readonly Refund[];
}

export const why: Command = async (call) => {
  const { subject, deployment, print } = call;
  const history = await historyOf(subject, deployment.deps);
  const { order, payments, policy, fault, reversals, refunds } = history;
  print(textOf(call, history), {
    ...(order && { order: orderJson(order) }),
    ...(fault === undefined ? { payments: payments.map((payment) => paymentJson(order, payment, policy)) } : { fault }),
    reversals: reversals.map(reversalJson),
    refunds: refunds.map(refundJson),
  });
  return order || payments.length > 0 ? exit.done : exit.refused;
};

async function historyOf(merchantUid: string, deps: HandlerDependencies): Promise<OrderHistory> {
  const { orders, reversals, iamport, clock, policy } = deps;
  const order = await orders.read(merchantUid);
  const given = await reversals.ofOrder(merchantUid);
  try {
    const { payments } = await iamport.payments(merchantUid, deadlineIn(clock, timeoutMs), order?.tier);
    return { order, payments, policy: await policyFor(deps, payments), ...given };
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    return { order, payments: [], policy, fault: error.message, ...given };
  }
}

const paymentJson = (order: Order | undefined, payment: Payment, policy: Policy) => ({
  imp_uid: payment.impUid,
  amount: majorUnits(payment.amount, payment.currency),
  currency: payment.currency,
  sandbox: payment.sandbox,
  ...payment.record,
  state: payment.state.kind,
  decision: decide(order, payment, policy),
});

function textOf(call: Call, history: OrderHistory): string {
  const parts = [
    ofOrder(call, history),
    ofPayments(call, history),
    ofReversals(call, history),
    ofRefunds(call, history),
  ];
  const next = [`${call.messageFor('next')}:`, ...todo(call, history).map((line) => `  ${line}`)];
  return `${[...parts, next]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function ofOrder({ messageFor, subject, language }: Call, { order }: OrderHistory): string[] {
  if (!order) return [`${messageFor('noOrder')}: ${subject}`];
  const { amount, currency, state, revision, createdAt, updatedAt } = order;
  const money = moneyIn(language);
  const parts = [money(amount, currency), statusLabels[state.status][language]];
  if (state.status === 'partial_cancelled')
    parts.push(`${messageFor('left')} ${money(minus(amount, state.cancelledAmount), currency)}`);
  const head = `${messageFor('order')} ${subject}: ${parts.join(', ')}`;
  // Only the shop has written it so far.
  if (revision === 0) return [head];
  const ids = revision === 1 ? `${subject}:1` : `${subject}:1 … ${subject}:${revision}`;
  return [
    head,
    `  ${messageFor('registered')} ${timeOf(createdAt)}, ${messageFor('changed')} ${timeOf(updatedAt)}`,
    `  ${messageFor('events')}: ${messageFor('eventsOf')} ${ids}`,
  ];
}

function ofPayments(call: Call, { order, payments, policy, fault }: OrderHistory): string[] {
  const { messageFor, language } = call;
  if (fault !== undefined) return [`${messageFor('payments')}: ${messageFor('notAsked')}: ${fault}`];
  if (payments.length === 0) return [`${messageFor('payments')}: ${messageFor('none')}`];
  const lines = payments.flatMap((payment) => {
    const { impUid, amount, currency, state, record, sandbox } = payment;
    const paidAt = record.paidAt !== undefined && timeOf(record.paidAt);
    const facts = [moneyIn(language)(amount, currency), record.payMethod, sandbox && 'sandbox', paidAt].filter(Boolean);
    const means = meaningOf(call, order, payment, policy);
    return [`  ${impUid}  ${facts.join(', ')}: ${paymentLabels[state.kind][language]}`, `    → ${means}`];
  });
  return [`${messageFor('payments')}:`, ...lines];
}

function ofReversals({ messageFor, language }: Call, { reversals }: OrderHistory): string[] {
  if (reversals.length === 0) return [];
  const lines = reversals.map(({ impUid, kind, reason, state, amount, currency, attempts, message, updatedAt }) => {
    const facts = [
      moneyIn(language)(amount, currency),
      `${reasonLabels[reason][language]}: ${kindLabels[kind][language]}`,
      stateLabels[state][language],
      attempts > 0 && `${messageFor('attempts')} ${attempts}`,
      timeOf(updatedAt),
      message,
    ];
    return `  ${impUid}  ${facts.filter(Boolean).join(', ')}`;
  });
  return [`${messageFor('reversals')}:`, ...lines];
}

function ofRefunds({ messageFor, language }: Call, { refunds }: OrderHistory): string[] {
  if (refunds.length === 0) return [];
  const lines = refunds.map(({ impUid, amount, currency, reason, state, key, needs, updatedAt, message }) => {
    const facts = [moneyIn(language)(amount, currency), `"${reason}"`, stateLabels[state][language], timeOf(updatedAt)];
    return `  ${impUid}  ${[...facts, `key ${key}`, needs && `needs ${needs}`, message].filter(Boolean).join(', ')}`;
  });
  return [`${messageFor('refunds')}:`, ...lines];
}

/** Describes the effect of a payment on its order, by the same `decide()` as in the functions. */
export function meaningOf(
  { messageFor, language }: Pick<Call, 'messageFor' | 'language'>,
  order: Order | undefined,
  payment: Payment,
  policy: Policy,
): string {
  const decision = decide(order, payment, policy);
  switch (decision.kind) {
    case 'order_not_found':
      return messageFor('noOrder');
    case 'keep':
      return order && isSettled(order.state) && isSettledBy(order.state, payment)
        ? messageFor('settledBy')
        : messageFor('applied');
    case 'change':
      return `${messageFor('willChange')}: ${statusLabels[decision.next.status][language]}`;
    case 'reject': {
      const undo = decision.reversal ? ` → ${kindLabels[decision.reversal.kind][language]}` : '';
      return `${messageFor('willReject')}: ${reasonLabels[decision.reason][language]}${undo}`;
    }
    case 'predates_deployment':
      return messageFor('predatesDeployment');
    case 'money_returned':
      return messageFor('moneyReturned');
  }
}

function todo({ messageFor }: Call, { order, payments, policy, reversals }: OrderHistory): string[] {
  const unsettled = payments.filter((payment) => {
    const { kind } = decide(order, payment, policy);
    const isKnown = reversals.some(({ impUid }) => impUid === payment.impUid);
    return kind === 'change' || (kind === 'reject' && !isKnown);
  });
  const lines = [
    ...(order ? [] : [messageFor('checkOrder')]),
    ...unsettled.map(({ impUid }) => `settle ${impUid}`),
    ...reversals.flatMap(({ impUid, kind, state, reason, amount }) => {
      if (state === 'requested') return [`${impUid}: ${messageFor('retried')}`];
      if (state !== 'manual') return [];
      if (kind === 'orphan') return [`${impUid}: ${messageFor('checkOrphan')} returned ${impUid}`];
      if (reason === 'deposit_excess') return [`${impUid}: ${messageFor('refundExcess')} returned ${impUid}`];
      if (amount === 0) return [`${impUid}: ${messageFor('revokeByHand')} returned ${impUid}`];
      return [`${impUid}: ${messageFor('refundInConsole')}`];
    }),
  ];
  return lines.length > 0 ? lines : [messageFor('nothing')];
}

export const moneyIn = (language: string) => (amount: Amount, currency: string) =>
  `${majorUnits(amount, currency).toLocaleString(language)} ${currency}`;

/** Korean time, independent of the time zone of the operator's machine. */
export const timeOf = (seconds: UnixSeconds): string =>
  `${new Date((seconds + 9 * 3600) * 1000).toISOString().slice(0, 19).replace('T', ' ')} KST`;
