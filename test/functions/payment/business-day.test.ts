/** Working time in Korea, where Saturday and Sunday are no working days. */

import { expect, test } from 'vitest';
import { workingSeconds } from '../../../functions/payment/business-day.ts';

const at = (time: string) => Date.parse(`${time}+09:00`) / 1000;
const hours = (from: string, to: string) => workingSeconds(at(from), at(to)) / 3_600;

// 20 November 2026 is a Friday.
test.each([
  ['a day in the week', '2026-11-18T10:00', '2026-11-19T10:00', 24],
  ['a weekend', '2026-11-21T00:00', '2026-11-23T00:00', 0],
  ['from Friday evening to Monday morning', '2026-11-20T18:00', '2026-11-23T09:00', 15],
  ['a week', '2026-11-18T10:00', '2026-11-25T10:00', 120],
  ['two weeks from a Saturday to a Sunday', '2026-11-21T12:00', '2026-12-06T12:00', 240],
  ['from Sunday to Monday', '2026-11-22T23:00', '2026-11-23T01:00', 1],
  ['no time', '2026-11-18T10:00', '2026-11-18T10:00', 0],
])('%s, %s to %s, has %d working hours', (_name, from, to, expected) => {
  expect(hours(from, to)).toBe(expected);
});
