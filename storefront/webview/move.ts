/**
 * Decides on an address that a payment page in a WebView wants to open, and on one that opened the app. The app
 * performs the move. Never throws for an address, and never returns one that runs code or reads files.
 */

import {
  asLink,
  bareScheme,
  decoded,
  isSamePage,
  queryValue,
  splitAddress,
  type WebAddress,
  webAddress,
} from './address.ts';
import { appWithPackage, appWithScheme, type PaymentApp } from './apps.ts';
import { addressOf, type IntentUri, parseIntent } from './intent.ts';
import { appStorePage, isPackageName, playPage, type StorePage, storeMoved } from './stores.ts';

/** The app around the WebView. */
export interface App {
  readonly platform: 'android' | 'ios';
  /** Its own scheme, as in `app_scheme`: with or without `://`. */
  readonly scheme: string;
  /** The `m_redirect_url` of its payments: `<api>/payments/complete/mobile`. Its query does not matter here. */
  readonly redirectUrl: string;
}

/** The result in a link. Untrusted, since any app can write a link: call the backend before showing it as true. */
export interface LinkedResult {
  readonly merchant_uid?: string;
  readonly imp_uid?: string;
  readonly status?: string;
  readonly reason?: string;
  /** The message of the payment window, where nothing was paid. */
  readonly error_msg?: string;
}

export type Move =
  /** Let the WebView load it. `over`: the payment is over, this is the shop's redirect address. */
  | { readonly do: 'load'; readonly url: string; readonly over?: LinkedResult }
  | OpenApp
  /** Open the store, or `webUrl` when that fails. */
  | ({ readonly do: 'open-store'; readonly known: boolean; readonly app?: PaymentApp } & StorePage)
  /** The backend sent the buyer to the app by a result target: the payment is over. */
  | { readonly do: 'show-result'; readonly result: LinkedResult }
  | { readonly do: 'ignore'; readonly reason: IgnoreReason };

/** Open the address outside; when no app opens it, the web page at `fallbackUrl`, or the store. */
export interface OpenApp {
  readonly do: 'open-app';
  readonly url: string;
  /** False for an app that is not on the list of payment apps: ask the buyer, or do not open it. */
  readonly known: boolean;
  readonly app?: PaymentApp;
  readonly package?: string;
  readonly store?: StorePage;
  /** From the page; always https. */
  readonly fallbackUrl?: string;
  /** The fields of the intent that are dropped. */
  readonly dropped: readonly Dropped[];
}

/**
 * `component` and `selector` could target any part of any app; `fallback` was not https; an address cannot carry the
 * values of `extras`.
 */
export type Dropped = 'component' | 'selector' | 'fallback' | 'extras';

/**
 * `malformed`: not an address; `refused`: runs code or reads the device; `other-platform`: exists only on the other
 * platform; `elsewhere`: the app was opened with an address other than its redirect address; `came-back`: another app
 * returned to this one, without an address or a result.
 */
export type IgnoreReason = 'malformed' | 'refused' | 'other-platform' | 'elsewhere' | 'came-back';

const NEVER = [
  'javascript',
  'vbscript',
  'data',
  'file',
  'content',
  'blob',
  'filesystem',
  'view-source',
  'jar',
  'android-app',
];
const LOOPBACK = ['localhost', '127.0.0.1', '10.0.2.2'];
const ignore = (reason: IgnoreReason): Move => ({ do: 'ignore', reason });

/** @throws TypeError for an invalid app: a redirect address that is not https, or no scheme */
function checkApp(app: App): { redirect: WebAddress; scheme: string } {
  const redirect = webAddress(app.redirectUrl);
  const secure = redirect?.origin.startsWith('https:') || (redirect && LOOPBACK.includes(redirect.host));
  if (!redirect || !secure) throw new TypeError(`redirectUrl must be an https address: ${app.redirectUrl}`);
  const scheme = bareScheme(app.scheme);
  if (!scheme) throw new TypeError(`scheme must be a URL scheme, such as iamporttest: ${app.scheme}`);
  return { redirect, scheme };
}

/**
 * @param given the address as the WebView, or the system that opened the app, gave it
 * @throws TypeError for an invalid `app`, never for an address
 */
export function moveFor(given: string, app: App): Move {
  const { redirect, scheme: own } = checkApp(app);
  const address = asLink(given);
  const split = splitAddress(address);
  if (!split) return ignore('malformed');
  const { scheme, rest } = split;
  if (NEVER.includes(scheme)) return ignore('refused');
  if (scheme === own) return comeBack(rest, redirect);
  if (scheme === 'about')
    return /^(blank|srcdoc)([?#]|$)/i.test(rest) ? { do: 'load', url: address } : ignore('refused');
  if (scheme === 'intent')
    return app.platform === 'android' ? openIntent(address, own, redirect) : ignore('other-platform');
  return (
    storeMoved(address, app.platform) ??
    (isWeb(scheme) ? loadPage(address, redirect) : openAddress(address, app.platform))
  );
}

const isWeb = (scheme: string) => scheme === 'https' || scheme === 'http';

function loadPage(url: string, redirect: WebAddress): Move {
  const page = webAddress(url);
  if (!page || !isSamePage(page, redirect)) return { do: 'load', url };
  return { do: 'load', url, over: resultIn(page.query) };
}

/**
 * The app was opened by its own scheme. An iOS bank transfer of KG Inicis passes the address to load; a result target
 * passes the result; a card app passes neither.
 */
function comeBack(rest: string, redirect: WebAddress): Move {
  const query = returnedQuery(rest);
  const target = targetIn(query);
  if (target !== undefined) {
    const page = webAddress(target);
    if (!page || !isSamePage(page, redirect)) return ignore('elsewhere');
    return loadPage(withIds(page, query), redirect);
  }
  const result = resultIn(query);
  return result.merchant_uid || result.imp_uid ? { do: 'show-result', result } : ignore('came-back');
}

/** The query may follow `?` or `//` directly, and the `&` between its names, or all of it, may be escaped. */
function returnedQuery(rest: string): string {
  const [, query = ''] = /^(?:\/\/)?(?:[^?=&#]*\?)?([^#]*)/.exec(rest) ?? [];
  if (!query.includes('=')) return decoded(query);
  return query.replace(/%26(?=(?:imp_uid|merchant_uid|m_redirect_url)=)/gi, '&');
}

/**
 * An unescaped redirect address extends to the end of the query, since its own query looks like ours. Ids after it are
 * found too.
 */
function targetIn(query: string): string | undefined {
  const begin = /(?:^|&)m_redirect_url=/.exec(query);
  if (!begin) return undefined;
  const text = query.slice(begin.index + begin[0].length);
  if (!/^https?:\/\//i.test(text)) return queryValue(query, 'm_redirect_url');
  return /^[^?]*&/.test(text) ? text.replace(/&.*$/s, '') : text;
}

/** @returns the page's address with each id of the payment once in its query */
function withIds(page: WebAddress, query: string): string {
  const kept = page.query.split(/[?&]/).filter((pair) => pair && !/^(imp_uid|merchant_uid)=/.test(pair));
  const ids = ['imp_uid', 'merchant_uid'].flatMap((name) => {
    const value = queryValue(query, name) || queryValue(page.query, name);
    return value ? [`${name}=${encodeURIComponent(value)}`] : [];
  });
  const all = [...kept, ...ids].join('&');
  return `${page.origin}${page.path}${all && `?${all}`}`;
}

function resultIn(query: string): LinkedResult {
  const names = ['merchant_uid', 'imp_uid', 'status', 'reason', 'error_msg'];
  const [merchant_uid, imp_uid, status, reason, error_msg] = names.map((name) => queryValue(query, name));
  return {
    ...(merchant_uid && { merchant_uid }),
    ...(imp_uid && { imp_uid }),
    ...(status && { status }),
    ...(reason && { reason }),
    ...(error_msg && { error_msg }),
  };
}

function openIntent(address: string, own: string, redirect: WebAddress): Move {
  const intent = parseIntent(address);
  if (!intent) return ignore('malformed');
  const url = addressOf(intent);
  // Without an address the intent opens the app itself. Its store page offers to open it.
  if (!url) return intent.package ? storePageOf(intent.package) : ignore('malformed');
  const split = splitAddress(url);
  if (!split) return ignore('malformed');
  const { scheme } = split;
  if (NEVER.includes(scheme) || scheme === 'intent' || scheme === 'about') return ignore('refused');
  if (scheme === own) return comeBack(split.rest, redirect);
  const moved = storeMoved(url, 'android');
  if (moved) return moved;
  if (isWeb(scheme) && !intent.package) return loadPage(url, redirect);
  return openApp(url, scheme, intent);
}

function openAddress(url: string, platform: App['platform']): Move {
  const { scheme = '' } = splitAddress(url) ?? {};
  const app = appWithScheme(scheme);
  const store = app && (platform === 'android' ? app.android && playPage(app.android) : appStorePage(app.appStore));
  return {
    do: 'open-app',
    url,
    known: app !== undefined,
    ...(app && { app }),
    ...(platform === 'android' && app?.android && { package: app.android }),
    ...(store && { store }),
    dropped: [],
  };
}

/** A listed scheme with an unlisted package is not known: another app may claim the scheme. */
function openApp(url: string, scheme: string, intent: IntentUri): OpenApp {
  const byScheme = appWithScheme(scheme);
  const named = intent.package && isPackageName(intent.package) ? intent.package : undefined;
  const byPackage = named ? appWithPackage(named) : undefined;
  const packageName = intent.package ? named : byScheme?.android;
  const fallback = fallbackOf(intent);
  const app = byPackage ?? byScheme;
  return {
    do: 'open-app',
    url,
    known: (byScheme !== undefined || isWeb(scheme)) && (!intent.package || byPackage !== undefined),
    ...(app && { app }),
    ...(packageName && { package: packageName, store: playPage(packageName) }),
    ...(fallback && webAddress(fallback)?.origin.startsWith('https:') && { fallbackUrl: fallback }),
    dropped: droppedOf(intent, fallback),
  };
}

const FALLBACK = 'browser_fallback_url';
const fallbackOf = ({ extras }: IntentUri) => extras.find(({ type, key }) => type === 'S' && key === FALLBACK)?.value;

function droppedOf(intent: IntentUri, fallback: string | undefined): Dropped[] {
  const dropped: Dropped[] = [];
  if (intent.component) dropped.push('component');
  if (intent.selector) dropped.push('selector');
  if (fallback !== undefined && !webAddress(fallback)?.origin.startsWith('https:')) dropped.push('fallback');
  if (intent.extras.some(({ key }) => key !== FALLBACK)) dropped.push('extras');
  return dropped;
}

function storePageOf(name: string): Move {
  if (!isPackageName(name)) return ignore('malformed');
  const app = appWithPackage(name);
  return { do: 'open-store', known: app !== undefined, ...(app && { app }), ...playPage(name) };
}
