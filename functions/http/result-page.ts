/** The built-in result page, for a shop without its own, and the page between a browser and the shop's app. */

import { majorUnits } from '../payment/money.ts';
import type { Outcome, OutcomeStatus } from '../payment/outcome.ts';
import type { VirtualAccount } from '../payment/payment.ts';
import type { Language } from '../shared/language.ts';
import { type Html, html, raw } from './html.ts';
import { outcomeMessage, pageTexts, problemMessage } from './messages.ts';
import { knows } from './outcome-json.ts';
import type { Problem } from './problem.ts';
import { hashOf, script, styleIn } from './result-assets.ts';

export type Result = { readonly outcome: Outcome } | { readonly problem: Problem };

/** The query of the request, checked. The page sends it again when it checks again. */
interface ResultQuery {
  readonly imp_uid?: string | undefined;
  readonly merchant_uid?: string | undefined;
  readonly again?: string | undefined;
}

interface ResultPageInput {
  readonly result: Result;
  /** Without both ids of the payment the page shows only the status. */
  readonly query: ResultQuery;
  readonly shopName: string;
  readonly branding: ResultPageBranding;
  readonly language: Language;
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

/** How often the page checks again, with longer and longer pauses: about two minutes in all. */
const maxTries = 20;

export function resultPage(input: ResultPageInput): Page {
  const { result, query, shopName, branding, language, appLink, windowMessage } = input;
  const texts = pageTexts[language];
  const canCheckAgain = 'problem' in result && result.problem.isFault;
  const message =
    'outcome' in result ? outcomeMessage(result.outcome, language) : problemMessage(result.problem.code, language);
  const tone = 'outcome' in result ? presentations[result.outcome.status].tone : canCheckAgain ? 'wait' : 'bad';
  const next = canCheckAgain && !appLink ? nextTry(query, result.problem.retryAfter) : undefined;
  const details = 'outcome' in result && knows(result.outcome, query) && outcomeDetails(result.outcome, language);
  const progress = appLink ? texts.toApp : next ? texts.asking : canCheckAgain && texts.gaveUp;
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
${details}
${windowMessage && html`<p>${texts.windowMessage}: “${windowMessage}”</p>`}
<p role="status">${progress}</p>
${!next && nextActions(input, canCheckAgain)}
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
} as const;
type Tone = keyof typeof signs;

interface Presentation {
  readonly tone: Tone;
  /** `pay`: the order can be paid again. `support`: the shop has to help. */
  readonly next?: 'pay' | 'support';
}

/** How the page presents each status, and which action it offers. */
const presentations: Readonly<Record<OutcomeStatus, Presentation>> = {
  paid: { tone: 'good' },
  virtual_account_issued: { tone: 'wait' },
  ready: { tone: 'wait', next: 'pay' },
  failed: { tone: 'bad', next: 'pay' },
  expired: { tone: 'bad', next: 'pay' },
  partial_cancelled: { tone: 'back' },
  cancelled: { tone: 'back' },
  deposit_reversed: { tone: 'bad', next: 'support' },
  rejected: { tone: 'bad', next: 'support' },
};

/** Up to three links, the likeliest first. A page that checks again by itself has none. */
function nextActions(
  { result, query, branding, language, appLink }: ResultPageInput,
  canCheckAgain: boolean,
): Html | undefined {
  const texts = pageTexts[language];
  const next = 'outcome' in result ? presentations[result.outcome.status].next : 'support';
  const { merchant_uid } = query;
  const all: [label: string, url: string | undefined | false][] = [
    [texts.app, appLink],
    [texts.again, canCheckAgain && !appLink && `?${idsOf(query)}`],
    [texts.checkout, next === 'pay' && merchant_uid !== undefined && withOrder(branding.checkout, merchant_uid)],
    [texts.support, next === 'support' && !canCheckAgain && branding.support],
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

function outcomeDetails(
  { merchantUid, amount, currency, account, reason, receiptUrl, status }: Outcome,
  language: Language,
): Html {
  const texts = pageTexts[language];
  const money = new Intl.NumberFormat(language, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  const rows: [string, string | undefined, copy?: boolean][] = [
    [texts.order, merchantUid],
    [texts.amount, money.format(majorUnits(amount, currency))],
    [texts.bank, account?.bank],
    [texts.account, account?.number, true],
    [texts.holder, account?.holder],
    [texts.due, account && deadlineText(account, language)],
    // The PG's own text. Our reason for a rejection is in the message above.
    [texts.reason, status === 'failed' ? reason : undefined],
  ];
  const list = rows.flatMap(([name, value, copy]) => {
    if (!value) return [];
    const button = html`<button type="button" hidden data-copy="${value}" data-copied="${texts.copied}" aria-label="${texts.copyAccount}">${texts.copy}</button>`;
    return [html`<div><dt>${name}</dt><dd><span>${value}</span>${copy && button}</dd></div>`];
  });
  const receipt =
    receiptUrl?.startsWith('https://') && html`<p><a href="${receiptUrl}" rel="noreferrer">${texts.receipt}</a></p>`;
  return html`<dl>${list}</dl>${receipt}`;
}

function deadlineText({ depositDeadline }: VirtualAccount, language: Language): string | undefined {
  if (depositDeadline === undefined) return undefined;
  const form = { dateStyle: 'long', timeStyle: 'short', timeZone: 'Asia/Seoul' } as const;
  return new Intl.DateTimeFormat(language, form).format(depositDeadline * 1000);
}

/** The longest pause that the page chooses itself. Seconds. */
const maxPause = 8;

/**
 * The address and the pause of the page's next check.
 * @param retryAfter seconds; used when longer than the page's own pauses, as after a 429 of Iamport
 * @returns undefined after `maxTries` checks
 */
function nextTry(query: ResultQuery, retryAfter = 0): { readonly to: string; readonly after: number } | undefined {
  const tries = Number(query.again ?? 0);
  if (!Number.isInteger(tries) || tries < 0 || tries >= maxTries) return undefined;
  const next = idsOf(query);
  next.set('again', `${tries + 1}`);
  const pause = Math.min(3 + Math.floor(tries / 2), maxPause);
  return { to: `?${next}`, after: retryAfter > maxPause ? retryAfter : pause };
}

const idsOf = ({ imp_uid, merchant_uid }: ResultQuery) =>
  new URLSearchParams({ ...(imp_uid && { imp_uid }), ...(merchant_uid && { merchant_uid }) });

/** The shop's look and links on the built-in page. */
export interface ResultPageBranding {
  /** An `https://` address of a picture. */
  readonly logo?: string | undefined;
  /** `#rrggbb` */
  readonly color?: string | undefined;
  /** The shop's home page. */
  readonly shop?: string | undefined;
  /** The buyer's orders. */
  readonly orders?: string | undefined;
  /** Pays an order; its number is added as `merchant_uid`. */
  readonly checkout?: string | undefined;
  readonly support?: string | undefined;
}
