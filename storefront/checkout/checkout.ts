/**
 * One payment of a page, from the click to its result: opens the window, then calls the backend whatever the window
 * returns. Loads nothing, shows nothing, and never throws: every failure is a result.
 */

import type { BrowserEnvironment } from './browser-environment.ts';
import { confirm, textIn } from './confirm.ts';
import { messageOf } from './messages.ts';
import { idIn, idsIn, pendingIn } from './pending.ts';
import type { Backend, Confirmation, Left, PaymentIds, PayRequest, PayResult, Unopened, WindowWords } from './types.ts';

/**
 * A second call within this time is a double click. Later, a buyer who still sees the button has no window any more.
 */
const clickMs = 10_000;

/** The current call of `pay`. */
interface Attempt {
  readonly merchantUid: string;
  readonly begun: number;
  /** True after the window has called back. */
  hasReturned: boolean;
  result: Promise<PayResult>;
}

type Return = { readonly rsp: unknown } | { readonly cause: unknown } | 'left';

export function checkoutIn(browser: BrowserEnvironment) {
  const pending = pendingIn(browser);
  let current: Attempt | undefined;

  /** Opens the payment window, and resolves with the result of the payment. Never rejects. */
  function pay(request: PayRequest): Promise<PayResult> {
    const { merchant_uid, language } = request;
    if (current && (current.hasReturned || browser.now() - current.begun < clickMs)) {
      if (current.merchantUid === merchant_uid) return current.result;
      return Promise.resolve(unopened('busy', merchant_uid, language));
    }
    const attempt: Attempt = { merchantUid: merchant_uid, begun: browser.now(), hasReturned: false, result: never };
    current = attempt;
    attempt.result = payIn(attempt, request).finally(() => {
      if (current === attempt) current = undefined;
    });
    return attempt.result;
  }

  async function payIn(attempt: Attempt, request: PayRequest): Promise<PayResult> {
    const { completeUrl, mobileRedirectUrl, patienceMs, onConfirming, ...param } = request;
    const { merchant_uid, language } = param;
    const iamport = browser.iamport();
    if (!iamport) return unopened('iamport_missing', merchant_uid, language);
    pending.keep({ merchant_uid });
    const returned = await new Promise<Return>((resolve) => {
      const end = (how: Return) => {
        stop();
        resolve(how);
      };
      const stop = browser.onReturn(() => end('left'));
      const open = async () => {
        const m_redirect_url = new URL(mobileRedirectUrl, browser.address()).href;
        await iamport.request_pay({ ...param, m_redirect_url }, (rsp) => end({ rsp }));
      };
      open().catch((cause: unknown) => end({ cause }));
    });
    attempt.hasReturned = true;
    if (returned === 'left') return leave(merchant_uid, language);
    if ('cause' in returned) {
      forgetWindow();
      return { ...unopened('window_failed', merchant_uid, language), cause: returned.cause };
    }
    const { imp_uid, window } = readReturn(returned.rsp);
    if (!imp_uid) {
      forgetWindow();
      return { ...unopened('declined', merchant_uid, language, window?.error_msg), ...(window && { window }) };
    }
    const ids = { imp_uid, merchant_uid };
    pending.keep(ids);
    try {
      onConfirming?.(ids);
    } catch (error) {
      // An error of the page's callback must not lose the payment.
      console.error(error);
    }
    const result = await confirmPending({ ...ids, completeUrl, ...optional({ language, patienceMs }) });
    return window ? { ...result, ...endOf(result, window, language), window } : result;
  }

  /** Calls the backend, and removes the pending payment once its result is known. */
  async function confirmPending(request: PaymentIds & Backend): Promise<Confirmation> {
    const result = await confirm(request, browser);
    // Meanwhile the buyer may have begun to pay another order.
    if (result.status !== 'unconfirmed' && pending.read()?.merchant_uid === request.merchant_uid) pending.forget();
    return result;
  }

  /** A payment with an `imp_uid` stays: it is of a later window, and its result may not be known yet. */
  const forgetWindow = () => pending.read()?.imp_uid ?? pending.forget();

  function leave(merchant_uid: string, language?: string): Left {
    forgetWindow();
    return { status: 'left', merchant_uid, message: messageOf('left', language) };
  }

  /**
   * For a page that loads: the result of the payment that was pending when this tab left. A payment in the page's
   * address comes first, as on the result target of a phone. Undefined without either. Never rejects.
   */
  async function resume(backend: Backend): Promise<PayResult | undefined> {
    if (current) return current.result;
    const query = Object.fromEntries(new URL(browser.address()).searchParams);
    const named = idsIn(query);
    const isNamed = named?.imp_uid !== undefined;
    const found = isNamed ? named : pending.read();
    if (!found) return undefined;
    const { imp_uid, merchant_uid } = found;
    if (!imp_uid) return leave(merchant_uid, backend.language);
    const result = await confirmPending({ ...backend, imp_uid, merchant_uid });
    // Anyone can write a link, so its text only selects one of our messages.
    return isNamed ? { ...result, ...endOf(result, query, backend.language) } : result;
  }

  return { pay, resume, confirm: confirmPending };
}

const never: Promise<PayResult> = new Promise(() => undefined);

const unopened = (code: Unopened['code'], merchant_uid: string, language?: string, message?: string): Unopened => ({
  status: 'unopened',
  merchant_uid,
  code,
  message: message ?? messageOf(code, language),
});

/** `success` may be missing and is ignored; without an `imp_uid` there is no payment. */
function readReturn(rsp: unknown): { imp_uid?: string; window?: WindowWords } {
  const fields = (typeof rsp === 'object' && rsp !== null ? rsp : {}) as Readonly<Record<string, unknown>>;
  const window = optional({ error_code: textIn(fields.error_code), error_msg: textIn(fields.error_msg) });
  return optional({
    imp_uid: idIn(fields.imp_uid),
    window: Object.keys(window).length > 0 ? window : undefined,
  });
}

/** The PGs name a cancel in their own words. The backend has the same pattern for a phone, which brings it the message. */
const namesCancel = /취소|포기|중단|cancel/i;

/**
 * How a window without a payment ended. `ready` alone may also mean that the buyer is still paying; an error of the window
 * means that it has closed. Every other result stays as the backend wrote it: it knows more than the window.
 */
function endOf({ status }: Confirmation, { error_msg }: WindowWords, language?: string): { message?: string } {
  if (status !== 'ready' || !error_msg) return {};
  return { message: messageOf(namesCancel.test(error_msg) ? 'closed' : 'failed', language) };
}

/** Omits undefined fields. */
const optional = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };
