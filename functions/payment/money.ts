/** Money as exact amounts. Pure. */

declare const smallestUnits: unique symbol;

/** A whole number of a currency's smallest unit: won for KRW, cents for USD. `parseAmount` creates it. */
export type Amount = number & { readonly [smallestUnits]: true };

/** No money, in any currency. */
export const zero = 0 as Amount;

/** ISO 4217 currencies without a minor unit. Every other currency that Iamport accepts has two digits. */
const withoutMinorUnit = new Set(['KRW', 'JPY', 'VND', 'CLP', 'ISK', 'PYG', 'UGX', 'XAF', 'XOF', 'XPF']);

/** How many decimal digits a currency has. */
export const digitsOf = (currency: string): 0 | 2 => (withoutMinorUnit.has(currency) ? 0 : 2);

/**
 * Parses an amount in major units (14000 won, 10.5 dollars), as Iamport and our HTTP API send it, exactly.
 * Works on the decimal notation and never multiplies fractions, so 19.99 is 1999 cents and not 1998.9999….
 * @param major a number, or the decimal string in which DynamoDB stores one
 * @returns undefined for an invalid amount of this currency: negative, not finite, half a won, more than 15 digits
 */
export function parseAmount(major: number | string, currency: string): Amount | undefined {
  const decimal = /^(\d{1,13})(?:\.(\d{1,2}))?$/.exec(String(major));
  if (!decimal) return undefined;
  const [, whole = '', fraction = ''] = decimal;
  const digits = digitsOf(currency);
  if (fraction.length > digits) return undefined;
  return Number(whole + fraction.padEnd(digits, '0')) as Amount;
}

/** A number this close to a whole unit of its currency differs from it only by float noise. In smallest units. */
const noise = 1e-6;

/**
 * Parses an amount that Iamport computed with fractions: 0.30000000000000004 dollars are 30 cents. Only for Iamport's
 * responses: `parseAmount` parses the amounts of shops and browsers.
 * @param major in major units
 * @returns undefined for a real fraction (half a won, 10.005 dollars) and for every other number that `parseAmount`
 * refuses
 */
export function amountNear(major: number, currency: string): Amount | undefined {
  // Parse exactly first: above a billion dollars the multiplication below is itself less exact than the noise.
  const exact = parseAmount(major, currency);
  if (exact !== undefined) return exact;
  const unitsInOne = 10 ** digitsOf(currency);
  const units = major * unitsInOne;
  const nearest = Math.round(units);
  return Math.abs(units - nearest) <= noise ? parseAmount(nearest / unitsInOne, currency) : undefined;
}

/** The amount in major units, for Iamport, JSON and DynamoDB: the inverse of `parseAmount`. */
export const majorUnits = (amount: Amount, currency: string): number => amount / 10 ** digitsOf(currency);

/** `a + b`. Sums of a few amounts are far below 2^53, so they are exact. */
export const plus = (a: Amount, b: Amount): Amount => (a + b) as Amount;

/** `a − b`. Both are exact integers below 2^53, so the difference is exact. */
export const minus = (a: Amount, b: Amount): Amount => (a - b) as Amount;
