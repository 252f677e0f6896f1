import { refundJson, reversalJson } from '../functions/http/order-json.ts';
import { isRefundId, refundId } from '../functions/payment/refund.ts';
import type { Command } from './command.ts';
import { kindWords, reasonWords, stateWords } from './messages.ts';
import { exit, table } from './terminal.ts';
import { moneyIn, timeOf } from './why.ts';

/** A shop that has more of them has another problem. */
const most = 1_000;
/** Later than anything is due. */
const ever = 99_999_999_999;

export const attention: Command = async ({ deployment: { rooms }, say, language, answer }) => {
  const classes = ['money', 'revoke', 'check', 'unmatched'] as const;
  const listed = await Promise.all(classes.map((of) => rooms.reversals.due(of, ever, most)));
  const keys = listed.flat().map(({ id }) => id);
  const [refunds, reversals] = await Promise.all([
    Promise.all(keys.filter(isRefundId).map((id) => rooms.refunds.read(id))),
    Promise.all(keys.filter((key) => !isRefundId(key)).map((key) => rooms.reversals.read(key))),
  ]);
  const waiting = reversals
    .filter((reversal) => reversal !== undefined)
    .sort(
      (one, other) =>
        Number(other.state === 'manual') - Number(one.state === 'manual') || one.createdAt - other.createdAt,
    );
  const underWay = refunds.filter((refund) => refund !== undefined);
  const money = moneyIn(language);
  const rows = [
    ...waiting.map((item) => [
      item.impUid,
      item.merchantUid,
      money(item.amount, item.currency),
      reasonWords[item.reason][language],
      kindWords[item.kind][language],
      stateWords[item.state][language],
      timeOf(item.createdAt),
    ]),
    ...underWay.map((item) => [
      refundId(item),
      item.merchantUid,
      money(item.amount, item.currency),
      item.reason,
      say('refunds'),
      [stateWords[item.state][language], item.needs].filter(Boolean).join(', '),
      timeOf(item.createdAt),
    ]),
  ];
  const forAPerson = [...waiting.filter(({ state }) => state === 'manual'), ...underWay.filter(({ needs }) => needs)];
  const heading = ['imp_uid', 'merchant_uid', 'amount', 'why', 'what', 'state', 'since'];
  const text = rows.length > 0 ? table([heading, ...rows]) : '';
  answer(forAPerson.length > 0 ? text : `${text}${say('nothingWaits')}\n`, {
    waiting: waiting.map((item) => ({ ...reversalJson(item), merchant_uid: item.merchantUid })),
    refunds: underWay.map((item) => ({ ...refundJson(item), merchant_uid: item.merchantUid })),
  });
  return forAPerson.length > 0 ? exit.found : exit.done;
};
