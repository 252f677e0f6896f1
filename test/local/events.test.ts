/**
 * Changes of an order are published to the bus: from the streams of DynamoDB Local, and from the proxy in front of
 * dynalite.
 */

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type System, startSystem } from '../support/system.ts';

/** A timeout against hanging, not a measure of speed. Milliseconds. */
const published = 120_000;

describe.each(['DynamoDB Local', 'dynalite'])('with %s', (engine) => {
  let system: System;
  beforeAll(async () => {
    // Thirty calls at once start up to thirty processes: on a slow machine some need longer than the 12 s of the template.
    const timeoutSeconds = 60;
    system = await startSystem({
      timeoutSeconds,
      ...(engine === 'dynalite' && { dynamodb: 'dynalite', databaseKey: 'local' }),
    });
    system.iamport.settings.webhooks = 'never';
  });
  afterAll(() => system.close());

  const eventsOf = (merchantUid: string) =>
    system.bus.events
      .map((event) => ({ name: event['detail-type'], detail: event.detail as { id: string; merchant_uid: string } }))
      .filter(({ detail }) => detail.merchant_uid === merchantUid);
  const namesOf = (merchantUid: string) =>
    eventsOf(merchantUid).map(({ name, detail }) => `${name} ${detail.id.replace(merchantUid, 'order')}`);
  const paid = (merchantUid: string, amount = 14_000) => {
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    return system.iamport.ledger.pay(imp_uid, { amount }).imp_uid;
  };

  test('thirty concurrent calls through three endpoints are one transition and one event', async () => {
    const merchantUid = await system.order();
    const body = { imp_uid: paid(merchantUid), merchant_uid: merchantUid };
    await Promise.all(
      [...Array(30).keys()].map((turn) => [system.complete, system.webhook, system.mobile][turn % 3]?.(body)),
    );
    await vi.waitFor(() => expect(namesOf(merchantUid)).toEqual(['Payment Paid order:2']), published);
    const [event] = eventsOf(merchantUid);
    expect(event?.detail).toMatchObject({
      version: 1,
      amount: 14_000,
      currency: 'KRW',
      status: 'paid',
      pay_method: 'card',
    });
  });

  test('a forged payment publishes a rejection and a refund', async () => {
    const merchantUid = await system.order();
    const imp_uid = paid(merchantUid, 100);
    await system.complete({ imp_uid });
    await vi.waitFor(
      () => expect(namesOf(merchantUid)).toEqual([`Payment Rejected ${imp_uid}:1`, `Refund Completed ${imp_uid}:2`]),
      published,
    );
  });

  test('the next run of the reconciler revokes the unused account of a paid order', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'vbank' });
    system.iamport.ledger.issueAccount(imp_uid);
    await system.webhook({ imp_uid });
    await system.webhook({ imp_uid: paid(merchantUid) });
    await vi.waitFor(
      () =>
        expect(namesOf(merchantUid).sort()).toEqual([
          'Payment Paid order:3',
          `Payment Rejected ${imp_uid}:1`,
          'Virtual Account Issued order:2',
        ]),
      published,
    );
    expect(await system.reconcile()).toMatchObject({ due: 1, faults: [] });
    expect(system.iamport.ledger.payment(imp_uid).status).toBe('cancelled');
    expect((await system.shop('GET', merchantUid)).json).toMatchObject({
      status: 'paid',
      reversals: [{ kind: 'revoke', state: 'done' }],
    });
  });

  test('POST /__local/reconcile settles a payment without a webhook, and GET /__local/events shows it', async () => {
    const merchantUid = await system.order();
    paid(merchantUid);
    const { status, json } = await system.send('/__local/reconcile', { method: 'POST' });
    expect([status, json]).toMatchObject([200, { settled: 1, finished: true }]);
    await vi.waitFor(async () => {
      const { events } = (await system.send('/__local/events')).json as {
        events: { detail: { merchant_uid: string } }[];
      };
      // Events of an earlier test may arrive meanwhile.

      expect(events.filter(({ detail }) => detail.merchant_uid === merchantUid)).toMatchObject([
        { source: 'iamport-serverless', 'detail-type': 'Payment Paid' },
      ]);
    }, published);
  });

  test('publishes each event once, without a failed function', () => {
    const ids = system.bus.events.map((event) => `${event['detail-type']} ${(event.detail as { id: string }).id}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(system.faults).toEqual([]);
  });
});
