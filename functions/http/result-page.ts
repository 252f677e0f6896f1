/** The built-in result page, for a shop that has none of its own, and the step in between to a shop's app. Everything is escaped. */

import { majorUnits } from '../payment/money.ts';
import type { Outcome } from '../payment/outcome.ts';
import type { VirtualAccount } from '../payment/payment.ts';
import type { Language } from '../shared/language.ts';
import { pageWords as labels, outcomeMessage, problemMessage } from './messages.ts';
import { knows } from './outcome-json.ts';
import type { Problem } from './problem.ts';
import { hashOf, script, styleIn } from './result-assets.ts';

export type Result = { readonly outcome: Outcome } | { readonly problem: Problem };

/** What the browser came with: already checked, and given back to it when the page asks again. */
interface Came {
  readonly imp_uid?: string | undefined;
  readonly merchant_uid?: string | undefined;
  readonly again?: string | undefined;
}

interface Shown {
  readonly result: Result;
  /** Without both ids of the payment only the status is shown. */
  readonly came: Came;
  readonly shopName: string;
  readonly front: ShopFront;
  readonly language: Language;
  /** Where the shop's app takes over, with the outcome in it. */
  readonly appLink?: string | undefined;
  /** The payment window's own words, masked and cut. Anybody can write them into an address, so they are marked as the window's. */
  readonly windowSays?: string | undefined;
}

/** A page, and what it may run and load, as its content security policy says it. */
export interface Page {
  readonly text: string;
  readonly policy: string;
}

/** The page asks again this often, a little later each time: about two minutes in all. */
const mostTries = 20;

export function resultPage(shown: Shown): Page {
  const { result, came, shopName, front, language, appLink, windowSays } = shown;
  const words = labels[language];
  const isOpen = 'problem' in result && result.problem.isFault;
  const message =
    'outcome' in result ? outcomeMessage(result.outcome, language) : problemMessage(result.problem.code, language);
  const mood = 'outcome' in result ? moodOf(result.outcome.status) : isOpen ? 'wait' : 'bad';
  const next = isOpen && !appLink ? nextTry(came, result.problem.retryAfter) : undefined;
  const details = 'outcome' in result && knows(result.outcome, came) ? outcomeDetails(result.outcome, language) : '';
  const says = appLink ? words.toApp : next ? words.asking : isOpen ? words.gaveUp : '';
  const goes = appLink ? { to: appLink, after: 0 } : next;
  const style = styleIn(front.color);
  const text = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${next ? `<noscript><meta http-equiv="refresh" content="${next.after};url=${escaped(next.to)}"></noscript>` : ''}
<title>${escaped(shopName ? `${words.title} · ${shopName}` : words.title)}</title>
<style>${style}</style>
</head>
<body>
<main class="${mood}${next ? ' asking' : ''}"${goes ? ` data-goes="${escaped(goes.to)}" data-after="${goes.after}"` : ''}>
${masthead(shopName, front.logo)}
${signs[mood]}
<h1>${escaped(message)}</h1>
${details}
${windowSays ? `<p>${words.windowSays}: “${escaped(windowSays)}”</p>` : ''}
<p role="status">${says}</p>
${next ? '' : ways(shown, isOpen)}
</main>
<script>${script}</script>
</body>
</html>
`;
  return { text, policy: policyOf(style, front.logo) };
}

/** Runs the one script and the one style, and loads the shop's logo. */
function policyOf(style: string, logo: string | undefined): string {
  const picture = logo && new URL(logo);
  const images = picture ? `; img-src ${picture.origin}${picture.pathname}` : '';
  return `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'${images}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

function masthead(shopName: string, logo: string | undefined): string {
  const name = escaped(shopName);
  if (!logo) return name && `<p class="shop">${name}</p>`;
  return `<p class="shop"><img src="${escaped(logo)}" alt="" referrerpolicy="no-referrer">${name}</p>`;
}

/** A tick, a clock, an arrow back, a cross: colour alone says nothing to many. */
const sign = (inside: string) => `<svg class="sign" viewBox="0 0 40 40" aria-hidden="true">${inside}</svg>`;
const signs = {
  good: sign('<circle cx="20" cy="20" r="17"/><path d="m12.5 20.5 5 5 10-11"/>'),
  wait: sign('<circle cx="20" cy="20" r="17"/><path class="turning" d="M20 10v10l6 4"/>'),
  back: sign('<circle cx="20" cy="20" r="17"/><path d="m17 12-5 5 5 5m-5-5h11a5 5 0 0 1 0 10h-4"/>'),
  bad: sign('<circle cx="20" cy="20" r="17"/><path d="m14 14 12 12m0-12L14 26"/>'),
} as const;

/** Where a buyer may go from here, the likeliest first. While the page asks again by itself there is nothing to choose. */
function ways({ result, came, front, language, appLink }: Shown, canAskAgain: boolean): string {
  const words = labels[language];
  const status = 'outcome' in result ? result.outcome.status : undefined;
  const { merchant_uid } = came;
  const isPayable = status === 'failed' || status === 'ready' || status === 'expired';
  const isTroubled = status === 'rejected' || status === 'deposit_reversed' || 'problem' in result;
  const all: [label: string, url: string | undefined | false][] = [
    [words.app, appLink],
    [words.again, canAskAgain && !appLink && `?${namesOf(came)}`],
    [words.checkout, isPayable && merchant_uid !== undefined && withOrder(front.checkout, merchant_uid)],
    [words.support, isTroubled && !canAskAgain && front.support],
    [words.orders, !isPayable && front.orders],
    [words.shop, front.shop],
  ];
  const links = all.flatMap(([label, url]) => (url ? [`<a href="${escaped(url)}">${label}</a>`] : [])).slice(0, 3);
  return links.length > 0 ? `<nav aria-label="${words.ways}">${links.join('')}</nav>` : '';
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
) {
  const words = labels[language];
  const money = new Intl.NumberFormat(language, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  const rows: [string, string | undefined, copy?: boolean][] = [
    [words.order, merchantUid],
    [words.amount, money.format(majorUnits(amount, currency))],
    [words.bank, account?.bank],
    [words.account, account?.number, true],
    [words.holder, account?.holder],
    [words.due, account && dueText(account, language)],
    // A PG's own words; ours are in the message above.
    [words.reason, status === 'failed' ? reason : undefined],
  ];
  const list = rows.flatMap(([name, value, copy]) => {
    if (!value) return [];
    const button = `<button type="button" hidden data-copy="${escaped(value)}" data-copied="${words.copied}" aria-label="${words.copyAccount}">${words.copy}</button>`;
    return [`<div><dt>${name}</dt><dd><span>${escaped(value)}</span>${copy ? button : ''}</dd></div>`];
  });
  const isLink = receiptUrl?.startsWith('https://');
  const receipt = isLink ? `<p><a href="${escaped(receiptUrl ?? '')}" rel="noreferrer">${words.receipt}</a></p>` : '';
  return `<dl>${list.join('')}</dl>${receipt}`;
}

function dueText({ dueAt }: VirtualAccount, language: Language): string | undefined {
  if (dueAt === undefined) return undefined;
  const form = { dateStyle: 'long', timeStyle: 'short', timeZone: 'Asia/Seoul' } as const;
  return new Intl.DateTimeFormat(language, form).format(dueAt * 1000);
}

function moodOf(status: Outcome['status']): keyof typeof signs {
  if (status === 'paid') return 'good';
  if (status === 'cancelled' || status === 'partial_cancelled') return 'back';
  return status === 'virtual_account_issued' || status === 'ready' ? 'wait' : 'bad';
}

/** The longest pause that the page chooses itself. Seconds. */
const maxPause = 8;

/**
 * This page once more, in so many seconds, until it has asked often enough.
 * @param retryAfter seconds; kept where it is longer than the page's own pauses, as after a 429 of Iamport
 */
function nextTry(came: Came, retryAfter = 0): { readonly to: string; readonly after: number } | undefined {
  const tries = Number(came.again ?? 0);
  if (!Number.isInteger(tries) || tries < 0 || tries >= mostTries) return undefined;
  const query = namesOf(came);
  query.set('again', `${tries + 1}`);
  const pause = Math.min(3 + Math.floor(tries / 2), maxPause);
  return { to: `?${query}`, after: retryAfter > maxPause ? retryAfter : pause };
}

const namesOf = ({ imp_uid, merchant_uid }: Came) =>
  new URLSearchParams({ ...(imp_uid && { imp_uid }), ...(merchant_uid && { merchant_uid }) });

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

/** What the shop has put on the built-in page. */
export interface ShopFront {
  /** An `https://` address of a picture. */
  readonly logo?: string | undefined;
  /** `#rrggbb` */
  readonly color?: string | undefined;
  /** Where the shop is, a buyer's orders, the payment of an order (its number is added as `merchant_uid`), and help. */
  readonly shop?: string | undefined;
  readonly orders?: string | undefined;
  readonly checkout?: string | undefined;
  readonly support?: string | undefined;
}
