/**
 * One payment of a page, from the click to its result: opens the window, and asks the backend whatever the window says. Loads nothing,
 * shows nothing, and never throws: whatever goes wrong is a result.
 */

import type { World } from './browser-environment.ts';
import { confirm, textIn } from './confirm.ts';
import { words } from './messages.ts';
import { idIn, idsIn, pendingIn } from './pending.ts';
import type { Backend, Confirmation, Left, PaymentIds, PayRequest, PayResult, Unopened, WindowWords } from './types.ts';

/** A second call within this time is a second click. After it the buyer, who still sees the button, has no window any more. */
const clickMs = 10_000;

/** What `pay` waits for. */
interface Attempt {
  readonly merchantUid: string;
  readonly begun: number;
  /** The window has called back. */
  hasAnswer: boolean;
  result: Promise<PayResult>;
}

type Return = { readonly rsp: unknown } | { readonly cause: unknown } | 'left';

export function checkoutIn(world: World) {
  const pending = pendingIn(world);
  let current: Attempt | undefined;

  /** Opens the payment window, and resolves with what became of the payment. Never rejects. */
  function pay(request: PayRequest): Promise<PayResult> {
    const { merchant_uid, language } = request;
    if (current && (current.hasAnswer || world.now() - current.begun < clickMs)) {
      if (current.merchantUid === merchant_uid) return current.result;
      return Promise.resolve(unopened('busy', merchant_uid, language));
    }
    const attempt: Attempt = { merchantUid: merchant_uid, begun: world.now(), hasAnswer: false, result: never };
    current = attempt;
    attempt.result = payIn(attempt, request).finally(() => {
      if (current === attempt) current = undefined;
    });
    return attempt.result;
  }

  async function payIn(attempt: Attempt, request: PayRequest): Promise<PayResult> {
    const { completeUrl, mobileRedirectUrl, patienceMs, onConfirming, ...param } = request;
    const { merchant_uid, language } = param;
    const iamport = world.iamport();
    if (!iamport) return unopened('iamport_missing', merchant_uid, language);
    pending.keep({ merchant_uid });
    const returned = await new Promise<Return>((resolve) => {
      const end = (how: Return) => {
        stop();
        resolve(how);
      };
      const stop = world.onReturn(() => end('left'));
      const open = async () => {
        const m_redirect_url = new URL(mobileRedirectUrl, world.address()).href;
        await iamport.request_pay({ ...param, m_redirect_url }, (rsp) => end({ rsp }));
      };
      open().catch((cause: unknown) => end({ cause }));
    });
    attempt.hasAnswer = true;
    if (returned === 'left') return leave(merchant_uid, language);
    if ('cause' in returned) {
      pending.forget();
      return { ...unopened('window_failed', merchant_uid, language), cause: returned.cause };
    }
    const { imp_uid, window } = readReturn(returned.rsp);
    if (!imp_uid) {
      pending.forget();
      return { ...unopened('declined', merchant_uid, language, window?.error_msg), ...(window && { window }) };
    }
    const ids = { imp_uid, merchant_uid };
    pending.keep(ids);
    try {
      onConfirming?.(ids);
    } catch (error) {
      // What the page shows meanwhile is not worth a payment.
      console.error(error);
    }
    return {
      ...(await ask({ ...ids, completeUrl, ...optional({ language, patienceMs }) })),
      ...(window && { window }),
    };
  }

  /** Asks, and forgets the payment once its result is known. */
  async function ask(question: PaymentIds & Backend): Promise<Confirmation> {
    const result = await confirm(question, world);
    // Meanwhile the buyer may have begun to pay something else.
    if (result.status !== 'unconfirmed' && pending.read()?.merchant_uid === question.merchant_uid) pending.forget();
    return result;
  }

  function leave(merchant_uid: string, language?: string): Left {
    pending.forget();
    return { status: 'left', merchant_uid, message: words('left', language) };
  }

  /**
   * For a page that loads: the result of the payment that was under way when this tab left, or of the one that the page's address names,
   * as on the result target of a phone. Undefined when there is none. Never rejects.
   */
  async function resume(backend: Backend): Promise<PayResult | undefined> {
    if (current) return current.result;
    const named = idsIn(Object.fromEntries(new URL(world.address()).searchParams));
    const found = named?.imp_uid ? named : pending.read();
    if (!found) return undefined;
    const { imp_uid, merchant_uid } = found;
    return imp_uid ? ask({ ...backend, imp_uid, merchant_uid }) : leave(merchant_uid, backend.language);
  }

  return { pay, resume, confirm: ask };
}

const never: Promise<PayResult> = new Promise(() => undefined);

const unopened = (code: Unopened['code'], merchant_uid: string, language?: string, message?: string): Unopened => ({
  status: 'unopened',
  merchant_uid,
  code,
  message: message ?? words(code, language),
});

/** `success` may be missing and says nothing; without an `imp_uid` no payment was begun. */
function readReturn(rsp: unknown): { imp_uid?: string; window?: WindowWords } {
  const fields = (typeof rsp === 'object' && rsp !== null ? rsp : {}) as Readonly<Record<string, unknown>>;
  const window = optional({ error_code: textIn(fields.error_code), error_msg: textIn(fields.error_msg) });
  return optional({
    imp_uid: idIn(fields.imp_uid),
    window: Object.keys(window).length > 0 ? window : undefined,
  });
}

/** Without the fields that are not there. */
const optional = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };
