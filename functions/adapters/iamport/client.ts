/** The client of Iamport's V1 REST API. Only this folder calls Iamport. It decides nothing about payments. */

import { IamportAccepted, IamportRefused, IamportUnexpected } from '../../application/faults.ts';
import type { CancelRequest, Iamport, Prepared } from '../../application/ports/iamport.ts';
import { type Amount, majorUnits } from '../../payment/money.ts';
import type { Payment } from '../../payment/payment.ts';
import type { Deadline } from '../../shared/clock.ts';
import { createHttpClient, type HttpClient, type HttpClientOptions, isNotFound, resultOf } from './http-client.ts';
import { paymentsOfOrder } from './order-payments.ts';
import { envelopeOf, paymentOf, paymentPageOf, preparedOf } from './wire.ts';

export interface IamportClient extends Iamport {
  /** Obtains a token before the first call. @throws as every call does */
  prepareToken(deadline: Deadline): Promise<void>;
}

export function iamportClient(options: HttpClientOptions): IamportClient {
  const { credentials } = options;
  const http = createHttpClient(options);

  const find = async (path: string, deadline: Deadline, tier: string | undefined): Promise<Payment | undefined> => {
    const response = await http.send({ method: 'GET', path, tier }, deadline);
    return isNotFound(response) ? undefined : paymentOf(resultOf(response));
  };

  return {
    // With test payments (`include_sandbox`), so that they are refused by name instead of as not found.
    async payment(impUid, deadline, tier) {
      const payment = await find(`/payments/${encodeURIComponent(impUid)}?include_sandbox=true`, deadline, tier);
      if (payment && payment.impUid !== impUid) {
        throw new IamportUnexpected(`Iamport returned another payment than ${impUid}`);
      }
      return payment;
    },

    newestPayment(merchantUid, deadline, tier, status) {
      const path = `/payments/find/${encodeURIComponent(merchantUid)}${status ? `/${status}` : ''}`;
      return find(`${path}?include_sandbox=true`, deadline, tier);
    },

    payments(merchantUid, deadline, tier) {
      return paymentsOfOrder(async (list, page, limit) => {
        const path = `/payments/findAll/${encodeURIComponent(merchantUid)}${list === 'paid' ? '/paid' : ''}`;
        const query = `page=${page}&limit=${limit}&include_sandbox=true`;
        const response = await http.send({ method: 'GET', path: `${path}?${query}`, tier }, deadline);
        return isNotFound(response) ? undefined : paymentPageOf(resultOf(response), page);
      }, deadline);
    },

    async listPayments({ status, from, to, page, limit, tier }, deadline) {
      // Sorted by the start, the one time that never changes: payments that change status stay on the same page.
      const query = `from=${from}&to=${to}&page=${page}&limit=${limit}&sorting=started&include_sandbox=true`;
      const response = await http.send({ method: 'GET', path: `/payments/status/${status}?${query}`, tier }, deadline);
      return paymentPageOf(resultOf(response), page);
    },

    async cancel(request, deadline, tier) {
      const body = cancelBody(request);
      const response = await http.send({ method: 'POST', path: '/payments/cancel', body, tier }, deadline);
      return acceptedPaymentOf('cancel', resultOf(response));
    },

    async revokeAccount(impUid, deadline, tier) {
      // A missing key is read again: once the operator has added it, the same instance can use it.
      const pgApiKey = (await credentials(false)).pgApiKey ?? (await credentials(true)).pgApiKey;
      const query = pgApiKey ? `?pg_api_key=${encodeURIComponent(pgApiKey)}` : '';
      const path = `/vbanks/${encodeURIComponent(impUid)}${query}`;
      const response = await http.send({ method: 'DELETE', path, tier }, deadline);
      try {
        return acceptedPaymentOf('revocation', resultOf(response));
      } catch (refusal) {
        if (pgApiKey || !(refusal instanceof IamportRefused)) throw refusal;
        // Only KG Inicis requires a key of its own, and the operator sees only the message of the refusal.
        throw new IamportRefused(`${refusal.message} (KG Inicis requires pg_api_key: add it to the secret)`, {
          status: refusal.status,
          cause: refusal,
        });
      }
    },

    prepare: (order, deadline, replaced) => prepare(http, order, deadline, replaced),

    prepareToken: http.prepareToken,
  };
}

/**
 * The payment in the response to a request that Iamport accepted (`code` 0).
 * @throws IamportAccepted when it is not readable, so that the caller does not send the request again
 */
function acceptedPaymentOf(request: 'cancel' | 'revocation', result: unknown): Payment {
  try {
    return paymentOf(result);
  } catch (cause) {
    throw new IamportAccepted(`Iamport accepted the ${request}, but its response contains no payment`, { cause });
  }
}

/** The body of `POST /payments/cancel`. JSON, since a form cannot carry `extra`. */
function cancelBody({ payment, amount, checksum, reason, taxFree, vatAmount, account, requester }: CancelRequest) {
  const { impUid, currency } = payment;
  const major = (part: Amount) => majorUnits(part, currency);
  return {
    imp_uid: impUid,
    amount: major(amount),
    checksum: major(checksum),
    reason,
    ...(taxFree !== undefined && { tax_free: major(taxFree) }),
    ...(vatAmount !== undefined && { vat_amount: major(vatAmount) }),
    ...(account && { refund_holder: account.holder, refund_bank: account.bank, refund_account: account.number }),
    ...(account?.tel !== undefined && { refund_tel: account.tel }),
    ...(requester && { extra: { requester } }),
  };
}

/**
 * Registers the amount. Iamport refuses a second `POST` for an order. That is fine when the same amount is registered.
 * Another amount may come from another shop on the same account.
 */
async function prepare(
  http: HttpClient,
  { merchantUid, amount, currency, tier }: Prepared,
  deadline: Deadline,
  replaced: Amount | undefined,
): Promise<'prepared' | 'conflict'> {
  const body = { merchant_uid: merchantUid, amount: majorUnits(amount, currency), currency };
  const path = '/payments/prepare';
  try {
    resultOf(await http.send({ method: 'POST', path, body, tier }, deadline));
    return 'prepared';
  } catch (refusal) {
    if (!(refusal instanceof IamportRefused)) throw refusal;
    const known = await http.send(
      { method: 'GET', path: `${path}/${encodeURIComponent(merchantUid)}`, tier },
      deadline,
    );
    const { code, response } = envelopeOf(known.body);
    if (code !== 0 || !response) throw refusal;
    const prepared = preparedOf(response);
    if (prepared.amount === body.amount && (prepared.currency ?? currency) === currency) return 'prepared';
    const isOurs = replaced !== undefined && prepared.amount === majorUnits(replaced, currency);
    if (!isOurs) return 'conflict';
    resultOf(await http.send({ method: 'PUT', path, body, tier }, deadline));
    return 'prepared';
  }
}
