/** Texts of PGs keep the reason of a failure; personal data in them is masked. */

import { expect, test } from 'vitest';
import { foreignText } from '../../functions/shared/foreign-text.ts';

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

test('masks a text of 64 KB within a second', { timeout: 1_000 }, () => {
  for (const part of ['1-', '가', 'a@', '예금주', '1 ', ' '])
    expect(foreignText(part.repeat(32_000)).length).toBeLessThan(101);
});
