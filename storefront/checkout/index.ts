/**
 * The checkout of a shop's page: `pay`, `resume` and `confirm` in this browser. The only file that uses browser APIs.
 * Loads nothing: the page includes `iamport.js` and calls `IMP.init` itself.
 */

import type { BrowserEnvironment, Iamport } from './browser-environment.ts';
import { checkoutIn } from './checkout.ts';

const browser: BrowserEnvironment = {
  iamport: () => (globalThis as { IMP?: Iamport }).IMP,
  async post(url, body, headers, timeoutMs) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      // With keepalive the browser sends the request even if the buyer closes the page now.
      const response = await fetch(url, { method: 'POST', body, headers, keepalive: true, signal: controller.signal });
      const text = await response.text();
      return { status: response.status, headers: response.headers, json: async () => JSON.parse(text) };
    } finally {
      clearTimeout(timer);
    }
  },
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  now: Date.now,
  random: Math.random,
  storage: () => sessionStorage,
  address: () => location.href,
  onReturn(callback) {
    const onPageShow = ({ persisted }: PageTransitionEvent) => persisted && callback();
    addEventListener('pageshow', onPageShow);
    return () => removeEventListener('pageshow', onPageShow);
  },
};

export const { pay, resume, confirm } = checkoutIn(browser);
export type * from './types.ts';
