/** `settle`, `refund`, `returned`, `close`, `reconcile`: what changes something. Each but `returned` goes through what is deployed, and asks before money moves. */

import { randomUUID } from 'node:crypto';
import { decide } from '../functions/payment/decide.ts';
import { amountOf, majorUnits } from '../functions/payment/money.ts';
import { isRefundId } from '../functions/payment/refund.ts';
import { over } from '../functions/payment/refund-steps.ts';
import { deadlineIn, unixSeconds } from '../functions/shared/clock.ts';
import type { Call, Command } from './command.ts';
import type { Sent } from './deployment.ts';
import { type ExitCode, exit, Misuse, waited } from './terminal.ts';
import { meaningOf, moneyIn, patienceMs } from './why.ts';

/** What the payment means is said first; then the same route settles it that the storefront calls. */
export const settle: Command = async (call) => {
  const { subject: impUid, deployment, say, note } = call;
  const { rooms, config } = deployment;
  const payment = await rooms.iamport.payment(impUid, deadlineIn(rooms.clock, patienceMs));
  if (!payment) {
    call.answer(`${say('noPayment')}: ${impUid}\n`, { code: 'payment_not_found' });
    return exit.refused;
  }
  const order = await rooms.orders.read(payment.merchantUid);
  const decision = decide(order, payment, config.policy);
  const meaning = `${impUid} · ${say('order')} ${payment.merchantUid}: ${meaningOf(call, order, payment)}`;
  note(meaning);
  const movesMoney =
    decision.kind === 'reject' && decision.reversal !== undefined && decision.reversal.kind !== 'manual';
  if (movesMoney && !(await call.mayGoOn(meaning))) return exit.notConfirmed;
  const body = { imp_uid: impUid, merchant_uid: payment.merchantUid };
  return told(call, await deployment.send('POST', '/payments/complete', body));
};

export const refund: Command = async (call) => {
  const { subject: merchantUid, options, deployment, say, language } = call;
  const { amount, reason, account, key = randomUUID() } = options;
  if (!reason) throw new Misuse('--reason is missing: the console and the buyer’s bank are told it');
  const order = await deployment.rooms.orders.read(merchantUid);
  const currency = order?.currency ?? 'KRW';
  const exact = amount === undefined ? undefined : amountOf(amount, currency);
  if (amount !== undefined && exact === undefined) throw new Misuse(`--amount ${amount} is no amount of ${currency}`);
  const what = exact === undefined ? say('allThatIsLeft') : moneyIn(language)(exact, currency);
  if (!(await call.mayGoOn(`${say('willRefund')}: ${merchantUid}, ${what}, "${reason}" (--key ${key})`)))
    return exit.notConfirmed;
  const body = {
    reason,
    ...(amount !== undefined && { amount: Number(amount) }),
    ...(account && { account: accountIn(account) }),
  };
  const path = `/orders/${encodeURIComponent(merchantUid)}/refunds`;
  return told(call, await deployment.send('POST', path, body, { 'idempotency-key': key }));
};

/**
 * Ends a reversal that waits for an operator: its money went back by a way that Iamport does not see, its account could not be revoked
 * and needs no more looks, or its payment belongs to another system. No upstream is called, so no route is needed: the store records
 * it as it does when the reconciler finds the money returned.
 */
export const returned: Command = async (call) => {
  const { subject: impUid, deployment, say, language } = call;
  const { rooms } = deployment;
  if (isRefundId(impUid)) return refundReturned(call);
  const reversal = await rooms.reversals.read(impUid);
  if (reversal?.state !== 'manual') {
    call.answer(`${impUid}: ${say('notByHand')}\n`, { code: 'nothing_to_return' });
    return exit.refused;
  }
  const { amount, currency, merchantUid, kind } = reversal;
  const what = `${impUid} · ${merchantUid}, ${moneyIn(language)(amount, currency)}`;
  const meaning = kind === 'orphan' ? 'isNotOurs' : amount > 0 ? 'isReturned' : 'isRevoked';
  if (!(await call.mayGoOn(`${say(meaning)}: ${what}`))) return exit.notConfirmed;
  // With the amount that was confirmed: what came meanwhile is told anew.
  await rooms.reversals.finish(impUid, unixSeconds(rooms.clock), amount);
  call.answer(`${say('writtenDown')}: ${what}\n`, { returned: impUid, amount: majorUnits(amount, currency), currency });
  return exit.done;
};

/** A refund that was accepted, or whose history is unclear, and that the operator has found to be paid back. */
async function refundReturned({ subject: id, deployment: { rooms }, say, language, ...call }: Call): Promise<ExitCode> {
  const refund = await rooms.refunds.read(id);
  const waits = refund?.state === 'requested' && (refund.needs !== undefined || refund.acceptedAt !== undefined);
  if (!waits) {
    call.answer(`${id}: ${say('notByHand')}\n`, { code: 'nothing_to_return' });
    return exit.refused;
  }
  const { amount, currency, merchantUid } = refund;
  const what = `${id} · ${merchantUid}, ${moneyIn(language)(amount, currency)}`;
  if (!(await call.mayGoOn(`${say('isReturned')}: ${what}`))) return exit.notConfirmed;
  const { held } = await rooms.refunds.change(refund, over(refund, 'done', unixSeconds(rooms.clock)));
  if (!held) throw new Error(`The refund ${id} has changed meanwhile: look at it again`);
  call.answer(`${say('writtenDown')}: ${what}\n`, { returned: id, amount: majorUnits(amount, currency), currency });
  return exit.done;
}

/** `holder,bank,number`, as Iamport takes them. */
function accountIn(text: string) {
  const [holder, bank, number, ...more] = text.split(',').map((part) => part.trim());
  if (!holder || !bank || !number || more.length > 0) throw new Misuse('--account must be holder,bank code,number');
  return { holder, bank, number };
}

export const close: Command = async (call) => {
  const { subject: merchantUid, deployment, say } = call;
  if (!(await call.mayGoOn(`${merchantUid}: ${say('willClose')}`))) return exit.notConfirmed;
  const sent = await deployment.send('DELETE', `/orders/${encodeURIComponent(merchantUid)}`);
  if (sent.status !== 204) return told(call, sent);
  call.answer(`${say('closed')}: ${merchantUid}\n`, { closed: merchantUid });
  return exit.done;
};

export const reconcile: Command = async ({ deployment, note, say, answer }) => {
  note(say('running'));
  const report = (await waited(deployment.reconcile(), note)) as Record<string, unknown>;
  const lines = Object.entries(report).map(([name, value]) => `${name.padEnd(11)} ${JSON.stringify(value)}\n`);
  answer(lines.join(''), report);
  return report.finished === true ? exit.done : exit.fault;
};

/** A refusal is an answer, with what to do about it in `detail`; a fault comes again. */
function told({ answer, say }: Call, { status, body }: Sent): ExitCode {
  const text = typeof body === 'string' ? body : JSON.stringify(body, null, 2);
  if (status < 400) {
    answer(`${text}\n`, body as object);
    return exit.done;
  }
  const { code = status, detail = text } = (typeof body === 'object' ? body : {}) as { code?: string; detail?: string };
  answer(`${say('refused')}: ${code} (${status}). ${detail}\n`, { status, ...(body as object) });
  return status >= 500 ? exit.fault : exit.refused;
}
