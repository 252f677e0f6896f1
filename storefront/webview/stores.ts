/**
 * The pages of an app in the two stores, and the addresses of such pages. Built from the app's name, never passed on as
 * received.
 */

import { queryValue, splitAddress, webAddress } from './address.ts';
import { appInAppStore, appWithPackage, type PaymentApp } from './apps.ts';

/** `url` opens the store's own app, `webUrl` its web page, for where that fails. */
export interface StorePage {
  readonly url: string;
  readonly webUrl: string;
}
type StoreMove =
  | ({ readonly do: 'open-store'; readonly known: boolean; readonly app?: PaymentApp } & StorePage)
  | { readonly do: 'ignore'; readonly reason: 'malformed' | 'other-platform' };

export const isPackageName = (name: string): boolean => /^[a-z]\w*(\.[a-z]\w*)+$/i.test(name);

/** @param name a package name */
export const playPage = (name: string): StorePage => ({
  url: `market://details?id=${name}`,
  webUrl: `https://play.google.com/store/apps/details?id=${name}`,
});

/** @param number the app's number in the App Store, if any */
export const appStorePage = (number: string | undefined): StorePage | undefined =>
  number
    ? { url: `itms-apps://apps.apple.com/app/id${number}`, webUrl: `https://apps.apple.com/app/id${number}` }
    : undefined;

const APP_STORE_SCHEMES = ['itms-apps', 'itms-appss', 'itms', 'itmss'];

/**
 * Decides on an address of a store.
 * @returns undefined for any other address, and for the other platform's store on the web, which is a page like any
 */
export function storeMoved(address: string, platform: 'android' | 'ios'): StoreMove | undefined {
  const { scheme = '', rest = '' } = splitAddress(address) ?? {};
  const page = webAddress(address);
  if (scheme === 'market') return platform === 'android' ? playMove(queryOf(rest)) : ignore('other-platform');
  if (APP_STORE_SCHEMES.includes(scheme)) return platform === 'ios' ? appStoreMove(rest) : ignore('other-platform');
  if (platform === 'android' && page?.host === 'play.google.com' && page.path === '/store/apps/details') {
    return playMove(page.query);
  }
  if (platform === 'ios' && (page?.host === 'apps.apple.com' || page?.host === 'itunes.apple.com')) {
    const move = appStoreMove(page.path);
    return move.do === 'ignore' ? undefined : move;
  }
  return undefined;
}

const ignore = (reason: 'malformed' | 'other-platform'): StoreMove => ({ do: 'ignore', reason });
const queryOf = (rest: string): string => /\?([^#]*)/.exec(rest)?.[1] ?? '';

/** `details?id=<package>`, and the older `search?q=pname:<package>`. */
function playMove(query: string): StoreMove {
  const name = queryValue(query, 'id') ?? queryValue(query, 'q')?.replace(/^pname:/, '');
  if (!name || !isPackageName(name)) return ignore('malformed');
  const app = appWithPackage(name);
  return { do: 'open-store', known: app !== undefined, ...(app && { app }), ...playPage(name) };
}

function appStoreMove(text: string): StoreMove {
  const number = /\/id([0-9]{6,12})(?![0-9])/.exec(text)?.[1];
  const page = appStorePage(number);
  if (!number || !page) return ignore('malformed');
  const app = appInAppStore(number);
  return { do: 'open-store', known: app !== undefined, ...(app && { app }), ...page };
}
