/** The built-in result page, for a shop without its own, and the page between a browser and the shop's app. */

import { type Amount, majorUnits, minus } from '../payment/money.ts';
import type { Outcome } from '../payment/outcome.ts';
import type { VirtualAccount } from '../payment/payment.ts';
import type { Language } from '../shared/language.ts';
import { type Html, html, raw } from './html.ts';
import { pageTexts } from './messages.ts';
import { knows } from './outcome-json.ts';
import { hashOf, script, styleIn } from './result-assets.ts';
import { isUnpaid, type Result, type ResultQuery, type ResultView, type Tone, viewOf } from './result-view.ts';

interface ResultPageInput {
  readonly result: Result;
  /** Without both ids of the payment the page shows only the status. */
  readonly query: ResultQuery;
  readonly shopName: string;
  readonly branding: ResultPageBranding;
  readonly language: Language;
  /** The origin of Iamport's API, such as `https://api.iamport.kr`. */
  readonly iamportOrigin: string;
  /** A link that opens the shop's app, with the outcome in its query. */
  readonly appLink?: string | undefined;
  /**
   * The payment window's own message, masked and cut. Anybody can write it into a link, so the page names its source.
   */
  readonly windowMessage?: string | undefined;
}

export interface Page {
  readonly text: string;
  /** The page's content security policy. */
  readonly policy: string;
}

export function resultPage(input: ResultPageInput): Page {
  const { result, query, shopName, branding, language, appLink, windowMessage = '' } = input;
  const texts = pageTexts[language];
  const view = viewOf(result, query, windowMessage, language);
  const { message, tone } = view;
  const next = appLink ? undefined : nextTry(query, view, 'problem' in result ? result.problem.retryAfter : undefined);
  const gaveUp = view.pauses && ('problem' in result ? texts.gaveUp : texts.stillReversing);
  const progress = appLink ? texts.toApp : next ? texts.asking : gaveUp;
  const redirect = appLink ? { to: appLink, after: 0 } : next;
  const style = styleIn(branding.color);
  const page = html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${next && html`<noscript><meta http-equiv="refresh" content="${next.after};url=${next.to}"></noscript>`}
<title>${shopName ? `${texts.title} · ${shopName}` : texts.title}</title>
<style>${raw(style)}</style>
</head>
<body>
<main class="${tone}${next && ' asking'}"${redirect && html` data-goes="${redirect.to}" data-after="${redirect.after}"`}>
${masthead(shopName, branding.logo)}
${signs[tone]}
<h1>${message}</h1>
${resultDetails(input)}
${windowMessage && windowMessage !== reasonIn(result, query) && html`<p>${texts.windowMessage}: “${windowMessage}”</p>`}
<p role="status">${progress}</p>
${(!next || 'outcome' in result) && nextActions(input, view, next !== undefined)}
</main>
<script>${raw(script)}</script>
</body>
</html>
`;
  return { text: page.toString(), policy: policyOf(style, branding.logo) };
}

/** Allows the one script and the one style by their hashes, and the shop's logo. */
function policyOf(style: string, logo: string | undefined): string {
  const picture = logo && new URL(logo);
  const images = picture ? `; img-src ${picture.origin}${picture.pathname}` : '';
  return `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'${images}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

function masthead(shopName: string, logo: string | undefined): Html | undefined {
  if (!logo && !shopName) return undefined;
  return html`<p class="shop">${logo && html`<img src="${logo}" alt="" referrerpolicy="no-referrer">`}${shopName}</p>`;
}

/** A tick, a clock, an arrow back, a cross: colour alone is not accessible. */
const sign = (shapes: string) => html`<svg class="sign" viewBox="0 0 40 40" aria-hidden="true">${raw(shapes)}</svg>`;
const signs = {
  good: sign('<circle cx="20" cy="20" r="17"/><path d="m12.5 20.5 5 5 10-11"/>'),
  wait: sign('<circle cx="20" cy="20" r="17"/><path class="turning" d="M20 10v10l6 4"/>'),
  back: sign('<circle cx="20" cy="20" r="17"/><path d="m17 12-5 5 5 5m-5-5h11a5 5 0 0 1 0 10h-4"/>'),
  bad: sign('<circle cx="20" cy="20" r="17"/><path d="m14 14 12 12m0-12L14 26"/>'),
} as const satisfies Record<Tone, Html>;

/** Up to three links, the likeliest first. A page that waits for its result has none. */
function nextActions(
  { query, branding, language, appLink }: ResultPageInput,
  { next, pauses }: ResultView,
  isAsking: boolean,
): Html | undefined {
  const texts = pageTexts[language];
  const { merchant_uid } = query;
  const all: [label: string, url: string | undefined | false][] = [
    [texts.app, appLink],
    [texts.again, pauses && !isAsking && !appLink && `?${idsOf(query)}`],
    [texts.checkout, next === 'pay' && merchant_uid !== undefined && withOrder(branding.checkout, merchant_uid)],
    [texts.support, next === 'support' && branding.support],
    [texts.orders, next !== 'pay' && branding.orders],
    [texts.shop, branding.shop],
  ];
  const links = all.flatMap(([label, url]) => (url ? [html`<a href="${url}">${label}</a>`] : [])).slice(0, 3);
  return links.length > 0 ? html`<nav aria-label="${texts.nextActions}">${links}</nav>` : undefined;
}

function withOrder(checkout: string | undefined, merchantUid: string): string | undefined {
  if (!checkout) return undefined;
  const url = new URL(checkout);
  url.searchParams.set('merchant_uid', merchantUid);
  return url.href;
}

type Row = [name: string, value: string | undefined, copy?: boolean];

/** The order number of the request is no secret to its sender, so an unpaid result has it. The rest needs both ids. */
function resultDetails({ result, query, language, iamportOrigin }: ResultPageInput): Html | undefined {
  if ('outcome' in result && knows(result.outcome, query))
    return outcomeDetails(result.outcome, language, iamportOrigin);
  const { merchant_uid } = query;
  if (!merchant_uid || !isUnpaid(result, query)) return undefined;
  return details([[pageTexts[language].order, merchant_uid]], language);
}

/** The PG's own text, where the page shows it. Our reason for a rejection is in the message. */
const reasonIn = (result: Result, query: ResultQuery): string | undefined =>
  'outcome' in result && result.outcome.status === 'failed' && knows(result.outcome, query)
    ? result.outcome.reason
    : undefined;

function outcomeDetails(outcome: Outcome, language: Language, iamportOrigin: string): Html {
  const { merchantUid, account, reason, receiptUrl, status } = outcome;
  const texts = pageTexts[language];
  const rows: Row[] = [
    [texts.order, merchantUid],
    ...amountRows(outcome, language),
    [texts.bank, account?.bank],
    [texts.account, account?.number, true],
    [texts.holder, account?.holder],
    [texts.due, account && deadlineText(account, language)],
    [texts.reason, status === 'failed' ? reason : undefined],
  ];
  const receipt =
    receiptUrl &&
    isLinked(receiptUrl, iamportOrigin) &&
    html`<p><a href="${receiptUrl}" rel="noreferrer">${texts.receipt}</a></p>`;
  return html`${details(rows, language)}${receipt}`;
}

/**
 * A receipt is linked over https, or at the origin of Iamport's API. A deployment calls that over https only; the fake
 * Iamport of the local system has http.
 */
const isLinked = (receiptUrl: string, iamportOrigin: string): boolean =>
  receiptUrl.startsWith('https://') || receiptUrl.startsWith(`${iamportOrigin}/`);

/** After a part cancel the buyer has to know three amounts. */
function amountRows({ amount, currency, cancelledAmount, status }: Outcome, language: Language): Row[] {
  const texts = pageTexts[language];
  const format = new Intl.NumberFormat(language, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  const money = (units: Amount) => format.format(majorUnits(units, currency));
  if (status !== 'partial_cancelled' || cancelledAmount === undefined) return [[texts.amount, money(amount)]];
  return [
    [texts.paid, money(amount)],
    [texts.cancelled, money(cancelledAmount)],
    [texts.left, money(minus(amount, cancelledAmount))],
  ];
}

/** Rows without a value are left out. */
function details(rows: readonly Row[], language: Language): Html {
  const texts = pageTexts[language];
  const list = rows.flatMap(([name, value, copy]) => {
    if (!value) return [];
    const button = html`<button type="button" hidden data-copy="${value}" data-copied="${texts.copied}" aria-label="${texts.copyAccount}">${texts.copy}</button>`;
    return [html`<div><dt>${name}</dt><dd><span>${value}</span>${copy && button}</dd></div>`];
  });
  return html`<dl>${list}</dl>`;
}

function deadlineText({ depositDeadline }: VirtualAccount, language: Language): string | undefined {
  if (depositDeadline === undefined) return undefined;
  const form = { dateStyle: 'long', timeStyle: 'short', timeZone: 'Asia/Seoul' } as const;
  return new Intl.DateTimeFormat(language, form).format(depositDeadline * 1000);
}

/**
 * The address and the pause of the page's next check.
 * @param retryAfter seconds; used when longer than the page's own pauses, as after a 429 of Iamport
 * @returns undefined for a final result, and after the last check
 */
function nextTry(
  query: ResultQuery,
  { pauses = [] }: ResultView,
  retryAfter = 0,
): { readonly to: string; readonly after: number } | undefined {
  const tries = Number(query.again ?? 0);
  const pause = pauses[tries];
  if (pause === undefined) return undefined;
  const next = idsOf(query);
  next.set('again', `${tries + 1}`);
  return { to: `?${next}`, after: retryAfter > Math.max(...pauses) ? retryAfter : pause };
}

const idsOf = ({ imp_uid, merchant_uid }: ResultQuery) =>
  new URLSearchParams({ ...(imp_uid && { imp_uid }), ...(merchant_uid && { merchant_uid }) });

/** The shop's look and links on the built-in page. */
export interface ResultPageBranding {
  /** An `https://` address of a picture. */
  readonly logo?: string | undefined;
  /** `#rgb` or `#rrggbb` */
  readonly color?: string | undefined;
  /** The shop's home page. */
  readonly shop?: string | undefined;
  /** The buyer's orders. */
  readonly orders?: string | undefined;
  /** Pays an order; its number is added as `merchant_uid`. */
  readonly checkout?: string | undefined;
  readonly support?: string | undefined;
}
