/** The built-in result page, for a shop that has none of its own. One document: no script, nothing loaded, everything escaped. */

import { createHash } from 'node:crypto';
import { majorUnits } from '../payment/money.ts';
import type { Outcome } from '../payment/outcome.ts';
import type { VirtualAccount } from '../payment/payment.ts';
import { knows } from './outcome-json.ts';
import type { Problem } from './problem.ts';
import type { Language } from './request.ts';
import { outcomeMessage, problemMessage } from './words.ts';

export type Result = { readonly outcome: Outcome } | { readonly problem: Problem };

/** What the browser came with: already checked, and given back to it when the page asks again. */
interface Came {
  readonly imp_uid?: string | undefined;
  readonly merchant_uid?: string | undefined;
  readonly again?: string | undefined;
}

/** The page asks again this often, a little later each time: about two minutes in all. */
const mostTries = 20;

const style = `
:root{color-scheme:light dark;--ink:#1a1d21;--quiet:#5c6670;--paper:#fff;--ground:#f3f5f7;--line:#dfe3e8;--good:#0a7d4b;--wait:#8a5a00;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#eef1f4;--quiet:#a3adb8;--paper:#1d2126;--ground:#121518;--line:#343b43;--good:#5fd39b;--wait:#f2c063;--bad:#ff8d85}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100svh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);font:1rem/1.6 system-ui,"Apple SD Gothic Neo","Malgun Gothic","Noto Sans KR",sans-serif;word-break:keep-all;overflow-wrap:anywhere}
main{width:100%;max-width:26rem;background:var(--paper);border:1px solid var(--line);border-radius:1rem;padding:1.75rem 1.5rem}
.shop{margin:0 0 .75rem;color:var(--quiet);font-size:.9rem}
h1{margin:0 0 1.25rem;font-size:1.25rem;line-height:1.45;text-wrap:balance}
h1::before{content:"";display:block;width:2.5rem;height:.3rem;border-radius:1rem;margin-bottom:1rem;background:currentColor}
.good h1::before{color:var(--good)}.wait h1::before{color:var(--wait)}.bad h1::before{color:var(--bad)}
.asking h1::before{animation:ask 1.2s ease-in-out infinite alternate}
@keyframes ask{to{width:100%;opacity:.4}}
@media(prefers-reduced-motion:reduce){.asking h1::before{animation:none}}
h1:last-child,dl:last-child div:last-child{margin-bottom:0;padding-bottom:0}
dl{margin:0}
dl div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.6rem 0;border-top:1px solid var(--line)}
dt{color:var(--quiet)}dd{margin:0 0 0 auto;font-weight:600;text-align:right;text-wrap:balance;font-variant-numeric:tabular-nums}
p{margin:1.25rem 0 0;color:var(--quiet)}dl+p{margin-top:0;padding-top:1rem;border-top:1px solid var(--line)}a{color:inherit}
`;

/** Names the one style that the page's content security policy lets through. */
export const styleHash = `sha256-${createHash('sha256').update(style).digest('base64')}`;

const labels = {
  ko: {
    title: '결제 결과',
    order: '주문번호',
    amount: '금액',
    bank: '은행',
    account: '계좌번호',
    holder: '예금주',
    due: '입금 기한',
    reason: '사유',
    receipt: '영수증 보기',
    asking: '결제 결과를 다시 확인하고 있습니다…',
    gaveUp: '결제하셨다면 결제는 안전하게 처리됩니다. 나중에 주문 내역에서 확인해 주세요.',
  },
  en: {
    title: 'Payment result',
    order: 'Order',
    amount: 'Amount',
    bank: 'Bank',
    account: 'Account number',
    holder: 'Account holder',
    due: 'Pay until',
    reason: 'Reason',
    receipt: 'Receipt',
    asking: 'Asking again…',
    gaveUp: 'If you paid, the payment is safe and will be settled. Please look at your orders later.',
  },
} as const satisfies Record<Language, Record<string, string>>;

/** @param came the ids that the browser brought; without both ids of the payment only the status is shown */
export function resultPage(result: Result, came: Came, shopName: string, language: Language): string {
  const words = labels[language];
  const message =
    'outcome' in result ? outcomeMessage(result.outcome, language) : problemMessage(result.problem.code, language);
  const mood = 'outcome' in result ? moodOf(result.outcome.status) : result.problem.isFault ? 'wait' : 'bad';
  const next = 'problem' in result && result.problem.isFault ? nextTry(came) : undefined;
  const details = 'outcome' in result && knows(result.outcome, came) ? outcomeDetails(result.outcome, language) : '';
  const after =
    'problem' in result && result.problem.isFault ? `<p role="status">${next ? words.asking : words.gaveUp}</p>` : '';
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${next ? `<meta http-equiv="refresh" content="${escaped(next)}">` : ''}
<title>${words.title}</title>
<style>${style}</style>
</head>
<body>
<main class="${mood}${next ? ' asking' : ''}">
${shopName ? `<p class="shop">${escaped(shopName)}</p>` : ''}
<h1>${escaped(message)}</h1>
${details}${after}
</main>
</body>
</html>
`;
}

function outcomeDetails(
  { merchantUid, amount, currency, account, reason, receiptUrl, status }: Outcome,
  language: Language,
) {
  const words = labels[language];
  const money = new Intl.NumberFormat(language, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  const rows: [string, string | undefined][] = [
    [words.order, merchantUid],
    [words.amount, money.format(majorUnits(amount, currency))],
    [words.bank, account?.bank],
    [words.account, account?.number],
    [words.holder, account?.holder],
    [words.due, account && dueText(account, language)],
    // A PG's own words; ours are in the message above.
    [words.reason, status === 'failed' ? reason : undefined],
  ];
  const shown = rows.filter(([, value]) => value);
  const list = shown.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value ?? '')}</dd></div>`).join('');
  const isLink = receiptUrl?.startsWith('https://');
  const receipt = isLink ? `<p><a href="${escaped(receiptUrl ?? '')}" rel="noreferrer">${words.receipt}</a></p>` : '';
  return `<dl>${list}</dl>${receipt}`;
}

function dueText({ dueAt }: VirtualAccount, language: Language): string | undefined {
  if (dueAt === undefined) return undefined;
  const form = { dateStyle: 'long', timeStyle: 'short', timeZone: 'Asia/Seoul' } as const;
  return new Intl.DateTimeFormat(language, form).format(dueAt * 1000);
}

function moodOf(status: Outcome['status']): 'good' | 'wait' | 'bad' {
  if (status === 'paid') return 'good';
  return status === 'virtual_account_issued' || status === 'ready' ? 'wait' : 'bad';
}

/** `<seconds>;url=<this page>`, until it has asked often enough. */
function nextTry({ imp_uid, merchant_uid, again }: Came): string | undefined {
  const tries = Number(again ?? 0);
  if (!Number.isInteger(tries) || tries < 0 || tries >= mostTries) return undefined;
  const query = new URLSearchParams({
    ...(imp_uid && { imp_uid }),
    ...(merchant_uid && { merchant_uid }),
    again: `${tries + 1}`,
  });
  return `${Math.min(3 + Math.floor(tries / 2), 8)};url=?${query}`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
