/** The client of Iamport with its real transport, against a scripted server and a clock that the test advances. */

import { iamportClient } from '../../../../functions/adapters/iamport/client.ts';
import type { SharedToken, Token } from '../../../../functions/adapters/iamport/tokens.ts';
import { undiciTransport } from '../../../../functions/adapters/iamport/transport.ts';
import { paymentOf } from '../../../../functions/adapters/iamport/wire.ts';
import { type Clock, deadlineIn } from '../../../../functions/shared/clock.ts';
import { cardPayment } from './payments.ts';
import { type Reply, tokenReply } from './server.ts';

export const getToken = 'POST /users/getToken';
export const getPayment = 'GET /payments/imp_100000000001';
export const impUid = 'imp_100000000001';

/** A clock that advances only by `sleep` and `advance`. */
export function steppedClock(): Clock & { advance(ms: number): void } {
  let now = 1_000_000_000;
  const advance = (ms: number) => {
    now += ms;
  };
  return { now: () => now, sleep: async (ms) => advance(ms), advance };
}

export function sharedTokenWith(token?: Token): SharedToken & { token: Token | undefined } {
  return {
    token,
    async read() {
      return this.token ? { token: this.token } : {};
    },
    claim: async () => ({ claimed: true }),
    async write(written) {
      this.token = written;
    },
  };
}

export function clientOf(url: string, sharedToken: SharedToken = sharedTokenWith(), clock = steppedClock()) {
  const credentialReads: boolean[] = [];
  const credentials = async (again: boolean) => {
    credentialReads.push(again);
    return { impKey: 'key', impSecret: 'secret', pgApiKey: 'pg key' };
  };
  const client = iamportClient({ transport: undiciTransport(url), credentials, sharedToken, clock, random: () => 0.5 });
  return { client, clock, credentialReads, deadline: deadlineIn(clock, 10_000) };
}

export const truncated: Reply = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"code":0,');
  setTimeout(() => response.destroy(), 20);
};
export const reset: Reply = (request) => void request.socket.resetAndDestroy();
export const silent: Reply = () => undefined;
export const plain =
  (status: number, body: string): Reply =>
  (_request, response) =>
    void response.writeHead(status).end(body);

export const token = { [getToken]: [tokenReply('t')] };
export const payment = paymentOf(cardPayment);
export const cancel = {
  payment,
  amount: payment.amount,
  checksum: payment.amount,
  reason: '주문 금액과 결제 금액이 다름',
};
