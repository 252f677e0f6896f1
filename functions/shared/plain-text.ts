/** Cleans a text of the shop's server before Iamport records it and shows it to the buyer. Pure. */

/** One sentence in the payment window. Characters. */
const maxLength = 100;
/** Only so much of a long text is read. */
const maxRead = maxLength * 4;

/**
 * Removes control characters, invisible characters, and `<` and `>`: a window or a console may show the text as HTML.
 * @returns one line of at most 100 characters; empty for a value that is no string
 */
export function plainText(value: unknown): string {
  if (typeof value !== 'string') return '';
  const line = value
    .slice(0, maxRead)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .replace(/[<>]+/g, '')
    .trim();
  return [...line].slice(0, maxLength).join('').trim();
}
