/**
 * A buyer in a real browser with the whole local system: actions in the shop and in the payment window, and the stored
 * state after them.
 */

import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Payment } from '../../local/iamport/payment.ts';
import { defaultSettings } from '../../local/iamport/settings.ts';
import { launchBrowser, pc, phone } from '../support/browser.ts';
import { type System, startSystem } from '../support/system.ts';

export type Profile = 'pc' | 'phone';

/** The timeout for asynchronous changes. Generous, for slow machines. */
export const pollOptions = { timeout: 30_000 };

/** An order as the API returns it to the shop's server. */
export interface StoredOrder {
  readonly merchant_uid: string;
  readonly status: string;
  readonly revision: number;
  readonly imp_uid?: string;
  readonly reversals: readonly { readonly state: string }[];
}

/** The system and the browser of a test file. */
export async function startEnvironment(options: Parameters<typeof startSystem>[0] = {}) {
  const system = await startSystem(options);
  const browser = await launchBrowser();
  return {
    system,
    browser,
    /** Resets pages, cookies, faults and settings between tests. */
    async reset() {
      for (const context of browser.contexts()) await context.close();
      Object.assign(system.iamport.settings, defaultSettings(`${system.url}/payments/webhook`));
      system.iamport.faults.clear();
      await system.iamport.webhooks.idle();
      expect(system.faults.splice(0)).toEqual([]);
    },
    async close() {
      await browser.close();
      await system.close();
    },
  };
}

type Environment = Awaited<ReturnType<typeof startEnvironment>>;

/** A buyer at a PC, or with a phone. */
export class Buyer {
  readonly page: Page;
  readonly #system: System;
  readonly #profile: Profile;
  readonly #context: BrowserContext;

  private constructor(system: System, profile: Profile, context: BrowserContext, page: Page) {
    this.#system = system;
    this.#profile = profile;
    this.#context = context;
    this.page = page;
  }

  static async with(profile: Profile, { system, browser }: Pick<Environment, 'system' | 'browser'>): Promise<Buyer> {
    const context = await contextOf(profile, browser);
    const page = await context.newPage();
    // An error on our pages, or a request to a third party, fails the current test.
    page.on('pageerror', (error) => system.faults.push(error.message));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      // Opening an app sends no request.
      const isOurs = origin === system.url || origin === system.iamport.url || !/^https?:$/.test(protocol);
      if (!isOurs) system.faults.push(`Request to a third party: ${request.url()}`);
    });
    return new Buyer(system, profile, context, page);
  }

  async enterShop(): Promise<void> {
    await this.page.goto(this.#system.url);
    await this.#payButton.waitFor();
  }

  /** @param method `card`, `trans`, `vbank` or `phone`, as for `IMP.request_pay` */
  async choose(product: string, method = 'card'): Promise<void> {
    await this.page.getByTestId(`product-${product}`).click();
    await this.page.locator(`label:has([name=method][value=${method}])`).click();
  }

  /** Presses the shop's button, and waits for the payment window. */
  async openWindow(button: 'pay' | 'pay-again' = 'pay'): Promise<Page | FrameLocator> {
    await this.page.getByTestId(button).click();
    if (this.#profile === 'phone') await this.page.waitForURL(`${this.#system.iamport.url}/window/**`);
    await this.window.getByTestId('order').waitFor();
    return this.window;
  }

  /** On a PC an iframe over the shop's page; on a phone the page itself. */
  get window(): Page | FrameLocator {
    return this.#profile === 'phone' ? this.page : this.page.frameLocator('#imp-iframe');
  }

  /** Shows the tester's part of the payment window. */
  async levers(): Promise<Page | FrameLocator> {
    await this.window.getByTestId('levers').locator('summary').click();
    return this.window;
  }

  /** The text of the result: in the shop on a PC, on the result page of a phone. */
  async outcomeText(status: string): Promise<string> {
    if (this.#profile === 'phone') {
      await this.page.waitForURL('**/payments/complete/mobile?**');
      return (await this.page.locator('main').innerText()).trim();
    }
    const outcome = this.page.locator(`#outcome[data-status=${status}]`);
    await outcome.waitFor();
    return outcome.innerText();
  }

  /** Performs an action on the fake Iamport's control page, in another tab. */
  async control({ imp_uid }: Payment, action: string): Promise<void> {
    const page = await this.#context.newPage();
    await page.goto(`${this.#system.iamport.url}/?imp_uid=${imp_uid}`);
    await page.getByTestId(`payment-${imp_uid}`).getByTestId(action).click();
    // The button disappears when the action is no longer possible.
    await page.getByTestId(`payment-${imp_uid}`).getByTestId(action).waitFor({ state: 'hidden' });
    await page.close();
  }

  /** The newest payment in the fake Iamport. */
  get payment(): Payment {
    const last = this.#system.iamport.ledger.entries().at(-1);
    if (!last) throw new Error('No payment window was opened');
    return last.payment;
  }

  /** The stored order of that payment. */
  async order(merchantUid = this.payment.merchant_uid): Promise<StoredOrder> {
    return (await this.#system.shop('GET', merchantUid)).json as StoredOrder;
  }

  /** Waits until every reversal of the order is done. */
  async untilReversed(): Promise<void> {
    const states = async () => (await this.order()).reversals.map(({ state }) => state);
    await expect.poll(states, pollOptions).toEqual(['done']);
  }

  get #payButton() {
    return this.page.locator('[data-testid=pay]:enabled');
  }
}

const contextOf = (profile: Profile, browser: Browser) => (profile === 'phone' ? phone(browser) : pc(browser));
