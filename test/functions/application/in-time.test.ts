/** The deadline of a request reaches every call to Iamport. */

import { expect, test } from 'vitest';
import { inTime } from '../../../functions/application/in-time.ts';
import type { Iamport } from '../../../functions/application/ports/iamport.ts';
import type { Ports } from '../../../functions/application/ports.ts';
import type { Deadline } from '../../../functions/shared/clock.ts';
import { won } from '../payment/cases.ts';

const query = { status: 'paid', from: 0, to: 1, page: 1, limit: 1 } as const;
const order = { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW' };

/** Ports whose Iamport records its calls, at a time that the test sets. */
function createPorts() {
  const calls: unknown[][] = [];
  const iamport = new Proxy({} as Iamport, {
    get:
      (_none, name) =>
      (...parameters: unknown[]) =>
        calls.push([name, ...parameters]),
  });
  const clock = { now: () => 1_000, sleep: async () => undefined };
  return { ports: { iamport, clock } as unknown as Ports, clock, calls };
}

test('passes the deadline to every call, with the other arguments in their order', async () => {
  const { ports, calls } = createPorts();
  const deadline: Deadline = { leftMs: () => 10_000 };
  const { iamport } = inTime(ports, deadline);
  const cancel = { payment: { impUid: 'imp_1' } } as never;
  await iamport.payment('imp_1', 'T01');
  await iamport.newestPayment('order-1', 'T01', 'paid');
  await iamport.payments('order-1', 'T01');
  await iamport.listPayments(query);
  await iamport.cancel(cancel, 'T01');
  await iamport.revokeAccount('imp_1', 'T01');
  await iamport.prepare(order, won(13_000));
  expect(calls).toEqual([
    ['payment', 'imp_1', deadline, 'T01'],
    ['newestPayment', 'order-1', deadline, 'T01', 'paid'],
    ['payments', 'order-1', deadline, 'T01'],
    ['listPayments', query, deadline],
    ['cancel', cancel, deadline, 'T01'],
    ['revokeAccount', 'imp_1', deadline, 'T01'],
    ['prepare', order, deadline, won(13_000)],
  ]);
});

test('gives a part of the request a deadline of its own, and leaves that of the request', async () => {
  const { ports, clock, calls } = createPorts();
  const request = inTime(ports, { leftMs: () => 100_000 });
  const part = request.within(12_000);
  await part.iamport.payment('imp_1');
  clock.now = () => 6_000;
  const [[, , passed] = []] = calls;
  expect(passed).toBe(part.deadline);
  expect([part.deadline.leftMs(), request.deadline.leftMs()]).toEqual([7_000, 100_000]);
});
