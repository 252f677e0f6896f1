/** Notifications that the API of Iamport does not confirm: stored and published, and without effect on orders. */

import { describe, expect, test } from 'vitest';
import { notificationFromItem } from '../../functions/adapters/dynamodb/notifications.ts';
import { notificationEvent } from '../../functions/payment/notification.ts';
import { beginning, startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

describe('notifications that no API confirms', () => {
  test('stores a notification once as received, and changes neither order nor reversals', async () => {
    const { order, paid, webhook, notify, show, client, names, counted } = await startFixture();
    await order();
    const imp_uid = paid();
    await webhook(imp_uid);
    expect(counted).toEqual([{ WebhookFromUnknownSender: 1 }]);
    const escrow = {
      event: 'Inicis.Escrow.Changed',
      imp_uid,
      merchant_uid: 'order-1',
      status: 'paid',
      extra: { escrow_status: 'confirmed', changed_at: 1_795_000_000 },
    };
    expect(await notify(escrow)).toEqual({ status: 200, json: { settled: true } });
    expect(await notify(escrow)).toMatchObject({ status: 200 });
    expect(await notify({ event: 'Something.New', imp_uid, merchant_uid: 'order-1' })).toMatchObject({ status: 200 });
    // An unknown format of a notification must not keep its payment from being settled.
    for (const odd of [
      { event: 7 },
      { event: '' },
      { event: null, extra: 'text' },
      { status: 5, extra: [1] },
      { extra: null },
    ]) {
      expect(await notify({ imp_uid, merchant_uid: 'order-1', ...odd })).toEqual({
        status: 200,
        json: { settled: true },
      });
    }
    expect(await notify({ ...escrow, imp_uid: 'imp_000000000000' })).toMatchObject({ json: { settled: false } });
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await client.send(new ScanCommand({ TableName: names.reversals }));
    expect(Items.map(({ imp_uid: key }) => key?.S).sort()).toEqual([`${imp_uid}#escrow`, `${imp_uid}#other`]);
    expect(await show()).toMatchObject({ status: 'paid', revision: 2, reversals: [], refunds: [] });
  });

  test('stores no lone surrogate, whether sent or cut by our limit', async () => {
    const { order, paid, notify, client, names } = await startFixture();
    await order();
    const notification = { imp_uid: paid(), event: `${'e'.repeat(63)}\u{1f4e6}`, extra: { note: '\ud800' } };
    expect(await notify(notification)).toMatchObject({ status: 200 });
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await client.send(new ScanCommand({ TableName: names.reversals }));
    expect(Items).toMatchObject([
      { event: { S: `${'e'.repeat(63)}\ufffd` }, content: { M: { note: { S: '\ufffd' } } } },
    ]);
  });

  test('stores notifications of a payment for the order that it pays, in one item', async () => {
    const { order, paid, webhook, notify, client, names } = await startFixture();
    await order();
    const imp_uid = paid();
    await webhook(imp_uid);
    for (let number = 0; number < 20; number += 1) {
      const notification = { imp_uid, event: `event-${number}`, extra: { '': 'x', note: String(number) } };
      expect(await notify({ ...notification, ...(number % 2 && { merchant_uid: 'another-order' }) })).toMatchObject({
        status: 200,
      });
    }
    const unregistered = paid(14_000, 'unregistered');
    await notify({ imp_uid: unregistered, event: 'x' });
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await client.send(new ScanCommand({ TableName: names.reversals }));
    expect(Items.map(({ imp_uid: key, merchant_uid }) => [key?.S, merchant_uid?.S])).toEqual([
      [`${imp_uid}#other`, 'order-1'],
    ]);
  });

  test('gives two notifications of one second two ids, also where another clock is ahead [T548]', async () => {
    const { order, paid, webhook, notify, client, names, pass } = await startFixture();
    await order();
    const imp_uid = paid();
    await webhook(imp_uid);
    const { GetItemCommand } = await import('@aws-sdk/client-dynamodb');
    const published = async (escrow_status: string) => {
      const escrow = { event: 'Inicis.Escrow.Changed', imp_uid, merchant_uid: 'order-1', extra: { escrow_status } };
      await notify(escrow, '52.78.100.19');
      await notify(escrow, '52.78.100.19');
      const key = { TableName: names.reversals, Key: { imp_uid: { S: `${imp_uid}#escrow` } } };
      const { Item = {} } = await client.send(new GetItemCommand(key));
      const { id, notification } = notificationEvent(notificationFromItem(Item));
      return [Number(id.split(':').at(-1)) - beginning, notification.content.escrow_status];
    };
    expect(await published('delivered')).toEqual([0, 'delivered']);
    expect(await published('confirmed')).toEqual([1, 'confirmed']);
    pass(-1);
    expect(await published('denied')).toEqual([2, 'denied']);
    pass(10);
    expect(await published('confirmed')).toEqual([9, 'confirmed']);
  });

  test('changes no refund, whatever the event name', async () => {
    const { order, paid, webhook, notify, refund, show } = await startFixture();
    await order();
    const imp_uid = paid();
    await webhook(imp_uid);
    await refund({ amount: 4_000 }, 'key-1');
    const before = await show();
    for (const event of ['key-1', '/key-1', '#key-1'])
      await notify({ imp_uid, merchant_uid: 'order-1', event, status: 'x' });
    expect(await show()).toEqual(before);
    expect(before.refunds).toMatchObject([{ key: 'key-1', state: 'done' }]);
  });
});
