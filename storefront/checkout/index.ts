/**
 * The checkout of a shop's page: `pay`, `resume` and `confirm` in this browser. The only file that touches one. Loads nothing: the page
 * includes `iamport.js` and calls `IMP.init` itself.
 */

import type { Iamport, World } from './browser-environment.ts';
import { checkoutIn } from './checkout.ts';

const browser: World = {
  iamport: () => (globalThis as { IMP?: Iamport }).IMP,
  async post(url, body, headers, timeoutMs) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      // Kept alive, the question is asked even if the buyer closes the page now.
      const answer = await fetch(url, { method: 'POST', body, headers, keepalive: true, signal: controller.signal });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, json: async () => JSON.parse(text) };
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
    const shown = ({ persisted }: PageTransitionEvent) => persisted && callback();
    addEventListener('pageshow', shown);
    return () => removeEventListener('pageshow', shown);
  },
};

export const { pay, resume, confirm } = checkoutIn(browser);
export type * from './types.ts';
