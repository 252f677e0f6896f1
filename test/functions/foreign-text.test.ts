/** Texts of PGs keep the reason of a failure; personal data in them is masked. */

import { expect, test } from 'vitest';
import { eventJson } from '../../functions/events/event-json.ts';
import type { PaymentEvent } from '../../functions/payment/events.ts';
import { foreignText } from '../../functions/shared/foreign-text.ts';
import { notificationContent, notificationName } from '../../functions/shared/notification-content.ts';

test.each([
  ['한도 초과', '한도 초과'],
  ['[V014] 잔액 부족 (14,000원)', '[V014] 잔액 부족 (14,000원)'],
  ['계좌 110-123-456789 로 환불 실패', '계좌 *** 로 환불 실패'],
  ['계좌번호 11012345678901 예금주: 홍길동 불일치', '계좌번호 *** 예금주: *** 불일치'],
  ['예금주명(홍길동)이 다릅니다', '예금주명(***)이 다릅니다'],
  ['홍길동님의 카드는 사용할 수 없습니다', '***님의 카드는 사용할 수 없습니다'],
  ['고객님의 카드는 사용할 수 없습니다', '고객님의 카드는 사용할 수 없습니다'],
  ['연락처 010 1234 5678', '연락처 ***'],
  ['card 1234.5678.9012.3456 declined', 'card *** declined'],
  ['문의: help@pg.example.kr 또는 https://evil.example/x?y=1', '문의: *** 또는 ***'],
  ['12345', '12345'],
  ['123456', '***'],
  ['가'.repeat(101), '가'.repeat(100)],
  [`${'a'.repeat(99)}\u{1f4e6}b`, `${'a'.repeat(99)}\u{1f4e6}`],
  ['\ud800', '\ufffd'],
  ['  ', ''],
])('%j becomes %j', (text, kept) => {
  expect(foreignText(text)).toBe(kept);
});

test('masks a text of 64 KB within a second of CPU time', () => {
  const before = process.threadCpuUsage();
  for (const part of ['1-', '가', 'a@', '예금주', '1 ', ' '])
    expect(foreignText(part.repeat(32_000)).length).toBeLessThan(101);
  const { user, system } = process.threadCpuUsage(before);
  expect(user + system).toBeLessThan(1_000_000);
});

test('a notification keeps its states and times, and loses personal data', () => {
  const kept = { escrow_status: 'confirmed', changed_at: 1_795_000_000, day: '20261124', count: 3 };
  expect(notificationContent({ ...kept, nested: { note: 'x' }, '': 'x' })).toEqual({
    escrow_status: 'confirmed',
    changed_at: '1795000000',
    day: '20261124',
    count: '3',
  });
  const personal = {
    buyer_name: '홍길동',
    receiverAddr: '서울시',
    전화번호: '없음',
    customer_name: 'Hong',
    card_no: '1',
  };
  expect(notificationContent(personal)).toEqual({});
  const texts = { a: '0212345678', b: 1_012_345_678, c: 'x@y.kr', '010-1234-5678': 'd', birthday: '900101' };
  expect(notificationContent(texts)).toEqual({ a: '***', b: '***', c: '***', '***': 'd' });
  expect(notificationName('Inicis.Escrow.Changed')).toBe('Inicis.Escrow.Changed');
});

test('the reason of a published event has no phone number, and keeps the 200 characters of a refund', () => {
  const event = { name: 'Refund Completed', id: 'i', merchantUid: 'm', amount: 1, currency: 'KRW' } as PaymentEvent;
  const reasonOf = (reason: string) => (eventJson({ ...event, reason }) as { reason: string }).reason;
  expect(reasonOf('연락처 010-1234-5678로 요청')).toBe('연락처 ***로 요청');
  expect(reasonOf('amount_mismatch')).toBe('amount_mismatch');
  expect(reasonOf('가'.repeat(200))).toBe('가'.repeat(200));
});
