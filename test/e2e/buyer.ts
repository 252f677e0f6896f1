/** A buyer in a real browser before the whole local system: what they do in the shop and in the payment window, and what the books say then. */

import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Payment } from '../../local/iamport/payment.ts';
import { settingsAtFirst } from '../../local/iamport/settings.ts';
import { launchBrowser, pc, phone } from '../support/browser.ts';
import { type System, startSystem } from '../support/system.ts';

export type Profile = 'pc' | 'phone';

/** How long something may take that happens by itself. Against hanging, and for slow machines. */
export const patience = { timeout: 10_000 };

/** An order as the shop's server reads it from the table. */
export interface StoredOrder {
  readonly merchant_uid: string;
  readonly status: string;
  readonly revision: number;
  readonly imp_uid?: string;
  readonly reversals: readonly { readonly state: string }[];
}

/** The system and the browser of a test file. */
export async function openMarket(options: Parameters<typeof startSystem>[0] = {}) {
  const system = await startSystem(options);
  const browser = await launchBrowser();
  return {
    system,
    browser,
    /** Nothing of one test is left for the next: no page, no cookie, no fault, no setting. */
    async tidy() {
      for (const context of browser.contexts()) await context.close();
      Object.assign(system.iamport.settings, settingsAtFirst(`${system.url}/payments/webhook`));
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

type Market = Awaited<ReturnType<typeof openMarket>>;

/** Somebody at a PC, or with a phone. */
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

  static async with(profile: Profile, { system, browser }: Pick<Market, 'system' | 'browser'>): Promise<Buyer> {
    const context = await contextOf(profile, browser);
    const page = await context.newPage();
    // A page of ours that fails, or asks a third party, fails the test in which it does.
    page.on('pageerror', (error) => system.faults.push(error.message));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      // An app that is opened asks nothing.
      const isOurs = origin === system.url || origin === system.iamport.url || !/^https?:$/.test(protocol);
      if (!isOurs) system.faults.push(`A third party was asked: ${request.url()}`);
    });
    return new Buyer(system, profile, context, page);
  }

  async enterShop(): Promise<void> {
    await this.page.goto(this.#system.url);
    await this.#payButton.waitFor();
  }

  /** @param method `card`, `trans`, `vbank`, `phone`, as `IMP.request_pay` takes them */
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

  /** On a PC it lies over the shop's page; on a phone it is the page. */
  get window(): Page | FrameLocator {
    return this.#profile === 'phone' ? this.page : this.page.frameLocator('#imp-iframe');
  }

  /** What the buyer is told at last: in the shop on a PC, on the result page of a phone. */
  async toldOf(status: string): Promise<string> {
    if (this.#profile === 'phone') {
      await this.page.waitForURL('**/payments/complete/mobile?**');
      return (await this.page.locator('main').innerText()).trim();
    }
    const outcome = this.page.locator(`#outcome[data-status=${status}]`);
    await outcome.waitFor();
    return outcome.innerText();
  }

  /** Somebody does something on the sandbox's control page, in another tab. */
  async control({ imp_uid }: Payment, deed: string): Promise<void> {
    const page = await this.#context.newPage();
    await page.goto(this.#system.iamport.url);
    await page.getByTestId(`payment-${imp_uid}`).getByTestId(deed).click();
    // Its button stays only while it can still be done.
    await page.getByTestId(`payment-${imp_uid}`).getByTestId(deed).waitFor({ state: 'hidden' });
    await page.close();
  }

  /** The payment that was begun last, in the sandbox's book. */
  get payment(): Payment {
    const last = this.#system.iamport.ledger.entries().at(-1);
    if (!last) throw new Error('No payment window was opened');
    return last.payment;
  }

  /** The order of that payment, as it stands in the table. */
  async order(merchantUid = this.payment.merchant_uid): Promise<StoredOrder> {
    return (await this.#system.shop('GET', merchantUid)).json as StoredOrder;
  }

  /** Until the money of everything that was not taken is back. */
  async untilReversed(): Promise<void> {
    const states = async () => (await this.order()).reversals.map(({ state }) => state);
    await expect.poll(states, patience).toEqual(['done']);
  }

  get #payButton() {
    return this.page.locator('[data-testid=pay]:enabled');
  }
}

const contextOf = (profile: Profile, browser: Browser) => (profile === 'phone' ? phone(browser) : pc(browser));
