/**
 * `settle`, `refund`, `returned`, `close`, `reconcile`: the subcommands that change something. All but `returned` call a deployed route
 * or function. They ask for confirmation before money moves.
 */

import { randomUUID } from 'node:crypto';
import { policyFor } from '../functions/application/policy.ts';
import type { ReconcileReport } from '../functions/application/reconcile/report.ts';
import type { ProblemCode } from '../functions/http/problem.ts';
import { decide } from '../functions/payment/decide.ts';
import { type Amount, majorUnits, parseAmount } from '../functions/payment/money.ts';
import { isRefundId } from '../functions/payment/refund.ts';
import { over } from '../functions/payment/refund-steps.ts';
import { deadlineIn, unixSeconds } from '../functions/shared/clock.ts';
import type { Call, Command } from './command.ts';
import { NoResponse, type Sent } from './deployment.ts';
import { outcomeText, refundText, remediesInKorean, reportText } from './responses.ts';
import { type ExitCode, exit, Misuse, OperatorError, withProgress } from './terminal.ts';
import { meaningOf, moneyIn, timeoutMs } from './why.ts';

/** Prints the effect of the payment on its order, then settles it through the route that the storefront calls. */
export const settle: Command = async (call) => {
  const { subject: impUid, deployment, messageFor, progress } = call;
  const { deps } = deployment;
  const payment = await deps.iamport.payment(impUid, deadlineIn(deps.clock, timeoutMs));
  if (!payment) {
    call.print(`${messageFor('noPayment')}: ${impUid}\n`, { code: 'payment_not_found' });
    return exit.refused;
  }
  const order = await deps.orders.read(payment.merchantUid);
  const policy = await policyFor(deps, [payment]);
  const decision = decide(order, payment, policy);
  const meaning = `${impUid} · ${messageFor('order')} ${payment.merchantUid}: ${meaningOf(call, order, payment, policy)}`;
  const movesMoney =
    decision.kind === 'reject' && decision.reversal !== undefined && decision.reversal.kind !== 'manual';
  if (!movesMoney) progress(meaning);
  else if (!(await call.confirm(meaning))) return exit.notConfirmed;
  const body = { imp_uid: impUid, merchant_uid: payment.merchantUid };
  const sent = await deployment.send('POST', '/payments/complete', body);
  return printResponse(call, sent, () => outcomeText(sent.body as Parameters<typeof outcomeText>[0], call.language));
};

/** The options of `refund` that are amounts, with their fields in the request. */
const amountOptions = [
  ['amount', 'amount'],
  ['tax-free', 'tax_free'],
  ['vat-amount', 'vat_amount'],
] as const;

/** A part of 0 is sent too. An amount of 0 is not a refund. */
function amountIn(option: (typeof amountOptions)[number][0], text: string, currency: string): Amount {
  const exact = parseAmount(text, currency);
  if (exact !== undefined && (exact > 0 || option !== 'amount')) return exact;
  throw new Misuse({
    ko: `--${option} ${text}: ${currency} 금액이 아닙니다. 14000처럼 쓰세요`,
    en: `--${option} ${text} is not an amount of ${currency}. Write it like 14000`,
  });
}

export const refund: Command = async (call) => {
  const { subject: merchantUid, options, deployment, messageFor, language } = call;
  const { reason, account, key = randomUUID() } = options;
  if (!reason)
    throw new Misuse({
      ko: '--reason이 없습니다. 환불 사유를 적으세요. 아임포트 콘솔과 구매자의 은행에 전달됩니다',
      en: '--reason is missing. Add the reason of the refund: Iamport sends it to the console and the buyer’s bank',
    });
  if (!/^[\w-]{1,64}$/.test(key))
    throw new Misuse({
      ko: `--key ${key}: 영문, 숫자, -, _로 64자까지 쓸 수 있습니다`,
      en: `--key ${key} must have 1 to 64 letters, digits, - or _`,
    });
  const order = await deployment.deps.orders.read(merchantUid);
  const currency = order?.currency ?? 'KRW';
  const amounts = amountOptions.flatMap(([option, field]) => {
    const text = options[option];
    return text === undefined ? [] : [{ field, value: Number(text), exact: amountIn(option, text, currency) }];
  });
  const money = ({ exact }: { exact: Amount }) => moneyIn(language)(exact, currency);
  const part = amounts.find(({ field }) => field === 'amount');
  const taxes = amounts.filter((of) => of !== part).map((of) => `, ${of.field} ${money(of)}`);
  const what = (part ? money(part) : messageFor('remainder')) + taxes.join('');
  if (!(await call.confirm(`${messageFor('willRefund')}: ${merchantUid}, ${what}, "${reason}" (--key ${key})`)))
    return exit.notConfirmed;
  const body = {
    reason,
    ...Object.fromEntries(amounts.map(({ field, value }) => [field, value])),
    ...(account && { account: accountIn(account) }),
  };
  const path = `/orders/${encodeURIComponent(merchantUid)}/refunds`;
  const sent = await deployment.send('POST', path, body, { 'idempotency-key': key }).catch((error: unknown) => {
    throw error instanceof NoResponse ? withKey(error, key) : error;
  });
  return printResponse(call, sent, () =>
    refundText(sent.body as Parameters<typeof refundText>[0], sent.status === 200, language),
  );
};

/**
 * Finishes a reversal that waits for an operator: the money was returned outside Iamport, the account could not be revoked and needs no
 * more checks, or the payment belongs to another system. This calls no upstream, so it needs no route: the store writes the same as
 * when the reconciler finds the money returned.
 */
export const returned: Command = async (call) => {
  const { subject: impUid, deployment, messageFor, language } = call;
  const { deps } = deployment;
  if (isRefundId(impUid)) return refundReturned(call);
  const reversal = await deps.reversals.read(impUid);
  if (reversal?.state !== 'manual') {
    call.print(`${impUid}: ${messageFor('noOpenItem')}\n`, { code: 'nothing_to_return' });
    return exit.refused;
  }
  const { amount, currency, merchantUid, kind } = reversal;
  const what = `${impUid} · ${merchantUid}, ${moneyIn(language)(amount, currency)}`;
  const meaning = kind === 'orphan' ? 'isNotOurs' : amount > 0 ? 'isReturned' : 'isRevoked';
  if (!(await call.confirm(`${messageFor(meaning)}: ${what}`))) return exit.notConfirmed;
  // With the confirmed amount: deposits that arrived since are published as a new event.
  await deps.reversals.finish(impUid, unixSeconds(deps.clock), amount);
  call.print(`${messageFor('recorded')}: ${what}\n`, {
    returned: impUid,
    amount: majorUnits(amount, currency),
    currency,
  });
  return exit.done;
};

/** Finishes a refund that was accepted, or whose history is unclear, after the operator has seen that the money was returned. */
async function refundReturned({
  subject: id,
  deployment: { deps },
  messageFor,
  language,
  ...call
}: Call): Promise<ExitCode> {
  const refund = await deps.refunds.read(id);
  const waits = refund?.state === 'requested' && (refund.needs !== undefined || refund.acceptedAt !== undefined);
  if (!waits) {
    call.print(`${id}: ${messageFor('noOpenItem')}\n`, { code: 'nothing_to_return' });
    return exit.refused;
  }
  const { amount, currency, merchantUid } = refund;
  const what = `${id} · ${merchantUid}, ${moneyIn(language)(amount, currency)}`;
  if (!(await call.confirm(`${messageFor('isReturned')}: ${what}`))) return exit.notConfirmed;
  const { written } = await deps.refunds.change(refund, over(refund, 'done', unixSeconds(deps.clock)));
  if (!written)
    throw new OperatorError({
      ko: `그사이 환불 ${id}의 상태가 바뀌었습니다. why ${merchantUid}로 다시 확인하세요`,
      en: `The refund ${id} has changed meanwhile. Check it with why ${merchantUid}`,
    });
  call.print(`${messageFor('recorded')}: ${what}\n`, {
    returned: id,
    amount: majorUnits(amount, currency),
    currency,
  });
  return exit.done;
}

/** Another key would be another refund, and the first one may have been made. */
const withKey = (error: NoResponse, key: string): OperatorError =>
  new OperatorError(
    {
      ko: `${error.texts.ko}. 환불되었을 수 있으니 새 키를 쓰지 말고 같은 명령에 --key ${key}를 붙여 다시 실행하세요`,
      en: `${error.texts.en}. The refund may have been made: repeat this command with --key ${key}, and with no other key`,
    },
    { cause: error },
  );

/** Parses `holder,bank,number`. */
function accountIn(text: string) {
  const [holder, bank, number, ...more] = text.split(',').map((part) => part.trim());
  if (!holder || !bank || !number || more.length > 0)
    throw new Misuse({
      ko: '--account는 예금주,은행코드,계좌번호 형식으로 쓰세요',
      en: '--account must be holder,bank code,number',
    });
  return { holder, bank, number };
}

export const close: Command = async (call) => {
  const { subject: merchantUid, deployment, messageFor } = call;
  if (!(await call.confirm(`${merchantUid}: ${messageFor('willClose')}`))) return exit.notConfirmed;
  const sent = await deployment.send('DELETE', `/orders/${encodeURIComponent(merchantUid)}`);
  if (sent.status !== 204) return printResponse(call, sent, () => '');
  call.print(`${messageFor('closed')}: ${merchantUid}\n`, { closed: merchantUid });
  return exit.done;
};

export const reconcile: Command = async ({ deployment, progress, messageFor, language, print }) => {
  progress(messageFor('running'));
  const report = (await withProgress(deployment.reconcile(), progress)) as ReconcileReport;
  print(reportText(report, language), report);
  return report.finished === true ? exit.done : exit.fault;
};

/** Only the `detail` of these names the wrong argument, or has the text of the PG. */
const withCause: readonly ProblemCode[] = ['invalid_request', 'refund_refused'];

/**
 * Prints a response. A refusal has its remedy in `detail`.
 * @param text of a response that is no problem
 * @returns `fault` for a 5xx, which can be retried
 */
function printResponse({ print, messageFor, language }: Call, { status, body }: Sent, text: () => string): ExitCode {
  if (status < 400) {
    print(text(), body as object);
    return exit.done;
  }
  const raw = typeof body === 'string' ? body : JSON.stringify(body);
  const { code = status, detail = raw } = (typeof body === 'object' ? body : {}) as { code?: string; detail?: string };
  const inKorean = language === 'ko' ? remediesInKorean[code as ProblemCode] : undefined;
  const isNamed = inKorean !== undefined && withCause.includes(code as ProblemCode);
  const remedy = isNamed ? `${inKorean} (${detail})` : (inKorean ?? detail);
  print(`${messageFor('refused')}: ${code} (${status}). ${remedy}\n`, { status, ...(body as object) });
  return status >= 500 ? exit.fault : exit.refused;
}
