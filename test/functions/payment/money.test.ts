import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { amountNear, digitsOf, majorUnits, minus, parseAmount, plus } from '../../../functions/payment/money.ts';
import { won } from './cases.ts';

describe('amounts are exact', () => {
  test.each([
    [14_000, 'KRW', 14_000],
    [0, 'KRW', 0],
    [19.99, 'USD', 1_999],
    [10.5, 'USD', 1_050],
    [10, 'USD', 1_000],
    [0.07, 'USD', 7],
    [1_200, 'JPY', 1_200],
    ['10.5', 'USD', 1_050],
    ['14000', 'KRW', 14_000],
    [9_999_999_999_999, 'KRW', 9_999_999_999_999],
  ])('%s %s is %s of its smallest unit', (major, currency, smallest) => {
    expect(parseAmount(major, currency)).toBe(smallest);
  });

  test.each([
    [1_000.5, 'KRW', 'half a won'],
    [1_000.5, 'JPY', 'half a yen'],
    [0.1 + 0.2, 'USD', 'a fraction that drifted'],
    [10.999, 'USD', 'a tenth of a cent'],
    [-1, 'KRW', 'a negative amount'],
    [Number.NaN, 'KRW', 'not a number'],
    [Number.POSITIVE_INFINITY, 'KRW', 'infinite'],
    [1e21, 'KRW', 'above the exact integers'],
    [2 ** 53, 'KRW', 'above the exact integers'],
    ['', 'KRW', 'an empty text'],
    ['1e3', 'KRW', 'not a decimal'],
    [' 1', 'KRW', 'not a decimal'],
    ['1,000', 'KRW', 'not a decimal'],
  ])('%s %s is no amount: %s', (major, currency, _why) => {
    expect(parseAmount(major, currency)).toBeUndefined();
  });

  test.each(['KRW', 'JPY', 'VND', 'CLP', 'ISK', 'PYG', 'UGX', 'XAF', 'XOF', 'XPF'])(
    '%s has no minor unit',
    (currency) => {
      expect(digitsOf(currency)).toBe(0);
    },
  );

  test('adds and subtracts amounts', () => {
    expect(plus(won(10_000), won(4_000))).toBe(14_000);
    expect(minus(won(14_000), won(4_000))).toBe(10_000);
  });

  test('converts every number of cents to major units and back', () => {
    fc.assert(
      fc.property(fc.nat({ max: 99_999_999_999 }), (cents) => {
        const dollars = parseAmount(`${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`, 'USD');
        expect(dollars).toBe(cents);
        expect(dollars && parseAmount(majorUnits(dollars, 'USD'), 'USD')).toBe(cents);
      }),
    );
  });
});

describe('amounts that Iamport computed with fractions', () => {
  test.each([
    [0.1 + 0.2, 'USD', 30],
    [13_999.999999999998, 'KRW', 14_000],
    [14_000.0000001, 'KRW', 14_000],
    [1e-9, 'KRW', 0],
    [-1e-9, 'USD', 0],
    [19.990000000000002, 'USD', 1_999],
    [999_999_999.99, 'USD', 99_999_999_999],
    [14_000, 'KRW', 14_000],
  ])('%s %s is rounded to %s of its smallest unit', (major, currency, smallest) => {
    expect(amountNear(major, currency)).toBe(smallest);
  });

  test.each([
    [0.5, 'KRW'],
    [14_000.00001, 'KRW'],
    [10.005, 'USD'],
    [-1, 'KRW'],
    [Number.NaN, 'KRW'],
    [Number.POSITIVE_INFINITY, 'USD'],
    [2 ** 53, 'KRW'],
  ])('%s %s is no amount', (major, currency) => {
    expect(amountNear(major, currency)).toBeUndefined();
  });

  test('reads every exact amount unchanged', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999_999_999 }), (cents) => {
        const dollars = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
        expect(amountNear(Number(dollars), 'USD')).toBe(parseAmount(Number(dollars), 'USD'));
      }),
    );
  });
});
