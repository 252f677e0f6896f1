import { IamportFault } from '../functions/application/faults.ts';
import { orderJson, refundJson, reversalJson } from '../functions/http/order-json.ts';
import { decide } from '../functions/payment/decide.ts';
import { type Amount, majorUnits } from '../functions/payment/money.ts';
import { isSettled, isSettledBy, type Order } from '../functions/payment/order.ts';
import type { Payment, UnixSeconds } from '../functions/payment/payment.ts';
import type { Refund } from '../functions/payment/refund.ts';
import type { Reversal } from '../functions/payment/reversal.ts';
import type { Rooms } from '../functions/runtime/dependencies.ts';
import { deadlineIn } from '../functions/shared/clock.ts';
import type { Call, Command } from './command.ts';
import { kindWords, paymentWords, reasonWords, stateWords, statusWords } from './messages.ts';
import { exit } from './terminal.ts';

/** For all that is asked of Iamport. Milliseconds. */
export const patienceMs = 20_000;

interface Story {
  readonly order: Order | undefined;
  readonly payments: readonly Payment[];
  /** The words of the fault when Iamport could not be asked. */
  readonly fault?: string;
  readonly reversals: readonly Reversal[];
  readonly refunds: readonly Refund[];
}

export const why: Command = async (call) => {
  const { subject, deployment, answer } = call;
  const story = await storyOf(subject, deployment.rooms);
  const { order, payments, fault, reversals, refunds } = story;
  answer(textOf(call, story), {
    ...(order && { order: orderJson(order) }),
    ...(fault === undefined ? { payments: payments.map((payment) => paymentJson(call, order, payment)) } : { fault }),
    reversals: reversals.map(reversalJson),
    refunds: refunds.map(refundJson),
  });
  return order || payments.length > 0 ? exit.done : exit.refused;
};

async function storyOf(merchantUid: string, { orders, reversals, iamport, clock }: Rooms): Promise<Story> {
  const order = await orders.read(merchantUid);
  const given = await reversals.ofOrder(merchantUid);
  try {
    const { payments } = await iamport.payments(merchantUid, deadlineIn(clock, patienceMs), order?.tier);
    return { order, payments, ...given };
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    return { order, payments: [], fault: error.message, ...given };
  }
}

const paymentJson = ({ deployment: { config } }: Call, order: Order | undefined, payment: Payment) => ({
  imp_uid: payment.impUid,
  amount: majorUnits(payment.amount, payment.currency),
  currency: payment.currency,
  sandbox: payment.sandbox,
  ...payment.record,
  state: payment.state.kind,
  decision: decide(order, payment, config.policy),
});

function textOf(call: Call, story: Story): string {
  const parts = [ofOrder(call, story), ofPayments(call, story), ofReversals(call, story), ofRefunds(call, story)];
  const next = [`${call.say('next')}:`, ...todo(call, story).map((line) => `  ${line}`)];
  return `${[...parts, next]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function ofOrder({ say, subject, language }: Call, { order }: Story): string[] {
  if (!order) return [`${say('noOrder')}: ${subject}`];
  const { amount, currency, state, revision, createdAt, updatedAt } = order;
  const head = `${say('order')} ${subject}: ${moneyIn(language)(amount, currency)}, ${statusWords[state.status][language]}`;
  // Only the shop has written it so far.
  if (revision === 0) return [head];
  const ids = revision === 1 ? `${subject}:1` : `${subject}:1 … ${subject}:${revision}`;
  return [
    head,
    `  ${say('registered')} ${timeOf(createdAt)}, ${say('changed')} ${timeOf(updatedAt)}`,
    `  ${say('events')}: ${say('eventsOf')} ${ids}`,
  ];
}

function ofPayments(call: Call, { order, payments, fault }: Story): string[] {
  const { say, language } = call;
  if (fault !== undefined) return [`${say('payments')}: ${say('notAsked')}: ${fault}`];
  if (payments.length === 0) return [`${say('payments')}: ${say('none')}`];
  const lines = payments.flatMap((payment) => {
    const { impUid, amount, currency, state, record, sandbox } = payment;
    const paidAt = record.paidAt !== undefined && timeOf(record.paidAt);
    const facts = [moneyIn(language)(amount, currency), record.payMethod, sandbox && 'sandbox', paidAt].filter(Boolean);
    const means = meaningOf(call, order, payment);
    return [`  ${impUid}  ${facts.join(', ')}: ${paymentWords[state.kind][language]}`, `    → ${means}`];
  });
  return [`${say('payments')}:`, ...lines];
}

function ofReversals({ say, language }: Call, { reversals }: Story): string[] {
  if (reversals.length === 0) return [];
  const lines = reversals.map(({ impUid, kind, reason, state, amount, currency, attempts, message, updatedAt }) => {
    const facts = [
      moneyIn(language)(amount, currency),
      `${reasonWords[reason][language]}: ${kindWords[kind][language]}`,
      stateWords[state][language],
      attempts > 0 && `${say('attempts')} ${attempts}`,
      timeOf(updatedAt),
      message,
    ];
    return `  ${impUid}  ${facts.filter(Boolean).join(', ')}`;
  });
  return [`${say('reversals')}:`, ...lines];
}

function ofRefunds({ say, language }: Call, { refunds }: Story): string[] {
  if (refunds.length === 0) return [];
  const lines = refunds.map(({ impUid, amount, currency, reason, state, key, needs, updatedAt, message }) => {
    const facts = [moneyIn(language)(amount, currency), `"${reason}"`, stateWords[state][language], timeOf(updatedAt)];
    return `  ${impUid}  ${[...facts, `key ${key}`, needs && `needs ${needs}`, message].filter(Boolean).join(', ')}`;
  });
  return [`${say('refunds')}:`, ...lines];
}

/** What a payment means for its order, by the very rules that the doors decide by. */
export function meaningOf(
  { deployment: { config }, say, language }: Call,
  order: Order | undefined,
  payment: Payment,
): string {
  const decision = decide(order, payment, config.policy);
  switch (decision.kind) {
    case 'order_not_found':
      return say('noOrder');
    case 'keep':
      return order && isSettled(order.state) && isSettledBy(order.state, payment) ? say('standsOn') : say('counts');
    case 'change':
      return `${say('willChange')}: ${statusWords[decision.next.status][language]}`;
    case 'reject': {
      const undo = decision.reversal ? ` → ${kindWords[decision.reversal.kind][language]}` : '';
      return `${say('willReject')}: ${reasonWords[decision.reason][language]}${undo}`;
    }
    case 'money_returned':
      return say('moneyIsBack');
  }
}

function todo({ deployment: { config }, say }: Call, { order, payments, reversals }: Story): string[] {
  const unsettled = payments.filter((payment) => {
    const { kind } = decide(order, payment, config.policy);
    const isKnown = reversals.some(({ impUid }) => impUid === payment.impUid);
    return kind === 'change' || (kind === 'reject' && !isKnown);
  });
  const lines = [
    ...unsettled.map(({ impUid }) => `settle ${impUid}`),
    ...reversals.flatMap(({ impUid, state, reason, amount }) => {
      if (state === 'manual' && reason === 'deposit_excess')
        return [`${impUid}: ${say('giveBackOnTop')} returned ${impUid}`];
      if (state === 'manual' && amount === 0) return [`${impUid}: ${say('revokeByHand')} returned ${impUid}`];
      if (state === 'manual') return [`${impUid}: ${say('giveBack')}`];
      return state === 'requested' ? [`${impUid}: ${say('waits')}`] : [];
    }),
  ];
  return lines.length > 0 ? lines : [say('nothing')];
}

export const moneyIn = (language: string) => (amount: Amount, currency: string) =>
  `${majorUnits(amount, currency).toLocaleString(language)} ${currency}`;

/** Korean time, whatever the operator's machine thinks. */
export const timeOf = (seconds: UnixSeconds): string =>
  `${new Date((seconds + 9 * 3600) * 1000).toISOString().slice(0, 19).replace('T', ' ')} KST`;
