/**
 * Performs a move by the functions of the app around the WebView. Defines the order of attempts, so that no app needs
 * its own.
 */

import { asLink, bareScheme, splitAddress } from './address.ts';
import { type App, type LinkedResult, type Move, moveFor, type OpenApp } from './move.ts';

type OpenStore = Extract<Move, { readonly do: 'open-store' }>;

/** The functions of the app, by its platform's means. */
export interface Host {
  /** Opens an address outside the WebView. Returns false, or rejects, when no app on the device opens it. */
  open(url: string): Promise<boolean>;
  /** Loads a page in the WebView. */
  load(url: string): void;
  /** Called before opening an app that is not on the list of payment apps. The safe result is false. */
  allow(move: OpenApp | OpenStore): boolean | Promise<boolean>;
  /** The backend sent the buyer to the app by a result target. */
  showResult(result: LinkedResult): void;
  /** Called when the WebView loads the redirect address: the payment is over, and the backend settles it. */
  over?(ids: LinkedResult): void;
  /** Neither the app nor its store page could be opened. */
  missing?(move: OpenApp | OpenStore): void;
}

/**
 * For the WebView's callback before it loads an address. Starts every other move.
 * @returns true when the WebView loads it itself
 */
export function follow(address: string, app: App, host: Host): boolean {
  const move = moveFor(address, app);
  if (move.do !== 'load') {
    void perform(move, host);
    return false;
  }
  if (move.over) host.over?.(move.over);
  if (move.url === address) return true;
  host.load(move.url);
  return false;
}

/**
 * For an address that opened the app. Other apps write it: only the app's own scheme is accepted, and no app is opened.
 */
export function comeBack(address: string, app: App, host: Pick<Host, 'load' | 'showResult' | 'over'>): void {
  if (splitAddress(asLink(address))?.scheme !== bareScheme(app.scheme)) return;
  const move = moveFor(address, app);
  if (move.do === 'show-result') host.showResult(move.result);
  if (move.do !== 'load') return;
  if (move.over) host.over?.(move.over);
  host.load(move.url);
}

async function perform(move: Exclude<Move, { readonly do: 'load' }>, host: Host): Promise<void> {
  if (move.do === 'ignore') return;
  if (move.do === 'show-result') return host.showResult(move.result);
  if (!move.known && !(await host.allow(move))) return;
  if (await isOpened(move.url, host)) return;
  if (move.do === 'open-app' && move.fallbackUrl) return host.load(move.fallbackUrl);
  const others = move.do === 'open-store' ? [move.webUrl] : move.store ? [move.store.url, move.store.webUrl] : [];
  for (const url of others) if (await isOpened(url, host)) return;
  host.missing?.(move);
}

async function isOpened(url: string, host: Host): Promise<boolean> {
  try {
    return await host.open(url);
  } catch {
    return false;
  }
}
