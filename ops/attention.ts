/** `npm run ops -- attention`: lists the reversals, refunds and webhooks that are not finished. */

import { refundJson, reversalJson } from '../functions/http/order-json.ts';
import { farFuture } from '../functions/payment/due.ts';
import { isRefundId, refundId } from '../functions/payment/refund.ts';
import type { Command } from './command.ts';
import { undeliveredWebhooks } from './destinations.ts';
import { kindLabels, reasonLabels, stateLabels } from './messages.ts';
import { exit, table } from './terminal.ts';
import { moneyIn, timeOf } from './why.ts';

/** The most items of each class that are listed. */
const maxListed = 1_000;

export const attention: Command = async ({ deployment, messageFor, language, print }) => {
  const { deps } = deployment;
  const undelivered = await undeliveredWebhooks(await deployment.webhooks());
  const classes = ['money', 'revoke', 'check', 'unmatched'] as const;
  const listed = await Promise.all(classes.map((of) => deps.reversals.due(of, farFuture, maxListed)));
  const keys = listed.flat().map(({ id }) => id);
  const [refunds, reversals] = await Promise.all([
    Promise.all(keys.filter(isRefundId).map((id) => deps.refunds.read(id))),
    Promise.all(keys.filter((key) => !isRefundId(key)).map((key) => deps.reversals.read(key))),
  ]);
  const waiting = reversals
    .filter((reversal) => reversal !== undefined)
    .sort(
      (one, other) =>
        Number(other.state === 'manual') - Number(one.state === 'manual') || one.createdAt - other.createdAt,
    );
  const unfinished = refunds.filter((refund) => refund !== undefined);
  const money = moneyIn(language);
  const rows = [
    ...waiting.map((item) => [
      item.impUid,
      item.merchantUid,
      money(item.amount, item.currency),
      reasonLabels[item.reason][language],
      kindLabels[item.kind][language],
      stateLabels[item.state][language],
      timeOf(item.createdAt),
    ]),
    ...unfinished.map((item) => [
      refundId(item),
      item.merchantUid,
      money(item.amount, item.currency),
      item.reason,
      messageFor('refunds'),
      [stateLabels[item.state][language], item.needs].filter(Boolean).join(', '),
      timeOf(item.createdAt),
    ]),
  ];
  const forOperator = [
    ...waiting.filter(({ state }) => state === 'manual'),
    ...unfinished.filter(({ needs }) => needs),
  ];
  const columns = ['amountColumn', 'reasonColumn', 'actionColumn', 'stateColumn', 'sinceColumn'] as const;
  const heading = ['imp_uid', 'merchant_uid', ...columns.map(messageFor)];
  const lines = undelivered.map(({ receiver, count }) => `${messageFor('undelivered')} ${receiver} (${count})\n`);
  const text = [rows.length > 0 ? table([heading, ...rows]) : '', ...lines].join('');
  const isFound = forOperator.length > 0 || undelivered.length > 0;
  print(isFound ? text : `${text}${messageFor('nothingOpen')}\n`, {
    waiting: waiting.map((item) => ({ ...reversalJson(item), merchant_uid: item.merchantUid })),
    refunds: unfinished.map((item) => ({ ...refundJson(item), merchant_uid: item.merchantUid })),
    webhooks: undelivered,
  });
  return isFound ? exit.found : exit.done;
};
