/** The reason of the shop, before Iamport shows it to the buyer: one short line without markup. */

import { expect, test } from 'vitest';
import { plainText } from '../../functions/shared/plain-text.ts';

test.each<[unknown, string]>([
  ['품절된 상품이 있습니다.', '품절된 상품이 있습니다.'],
  ['1인당 2개까지 구매할 수 있습니다. 문의: 1544-1234', '1인당 2개까지 구매할 수 있습니다. 문의: 1544-1234'],
  ['<img src=x onerror="alert(1)">품절', 'img src=x onerror="alert(1)"품절'],
  ['<scr<script>ipt>', 'scrscriptipt'],
  ['첫 줄\r\n둘째 줄\t끝', '첫 줄 둘째 줄 끝'],
  ['\u0000\u001b[31m품절\u0007', '[31m품절'],
  ['\u202e거꾸로\u2066 \u200b보이는\ufeff 글', '거꾸로 보이는 글'],
  ['  여백\u00a0\u3000 ', '여백'],
  ['\ud800품절', '품절'],
  ['가'.repeat(10_000), '가'.repeat(100)],
  [`${'a'.repeat(99)}\u{1f4e6}b`, `${'a'.repeat(99)}\u{1f4e6}`],
  [' '.repeat(10_000), ''],
  ['', ''],
  [undefined, ''],
  [null, ''],
  [1, ''],
  [['품절'], ''],
  [{ toString: () => '품절' }, ''],
])('becomes one short line of plain text (%#)', (value, text) => expect(plainText(value)).toBe(text));
