/**
 * The amounts that a shop registered before payment: a window with another amount is refused. Independent of the
 * payments.
 */

import { Refused } from './refused.ts';

export interface Prepared {
  merchant_uid: string;
  /** Major units. */
  amount: number;
  /** `null` registers the amount for any currency. */
  currency: string | null;
}

export class PreparedAmounts {
  readonly #prepared = new Map<string, Prepared>();

  /** `POST /payments/prepare`, which never changes a registered amount. @throws Refused `declined` */
  register(prepared: Prepared): Prepared {
    if (this.#prepared.has(prepared.merchant_uid)) {
      throw new Refused('declined', '이미 사전등록된 주문번호(merchant_uid)입니다.');
    }
    this.#prepared.set(prepared.merchant_uid, prepared);
    return prepared;
  }

  /** `PUT /payments/prepare`. @throws Refused `unknown` */
  change({ merchant_uid, amount, currency }: Prepared): Prepared {
    const known = this.of(merchant_uid);
    return Object.assign(known, { amount, currency: currency ?? known.currency });
  }

  /** @throws Refused `unknown` */
  of(merchantUid: string): Prepared {
    const prepared = this.#prepared.get(merchantUid);
    if (!prepared) throw new Refused('unknown', '사전등록된 결제정보가 없습니다.');
    return prepared;
  }

  /** @throws Refused `declined` when the amount or the currency differs from the registered one */
  check(request: { merchant_uid: string; amount: number; currency?: string | undefined }): void {
    const prepared = this.#prepared.get(request.merchant_uid);
    if (!prepared) return;
    const currency = prepared.currency ?? request.currency ?? 'KRW';
    if (prepared.amount !== request.amount || currency !== (request.currency ?? 'KRW')) {
      throw new Refused('declined', '사전에 등록된 결제금액과 다른 금액으로는 결제할 수 없습니다.');
    }
  }
}
