/** Cleans a text of the shop's server or of the payment window before a buyer sees it. Pure. */

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
  const line = visibleText(value).replace(/[<>]+/g, '').trim();
  return [...line].slice(0, maxLength).join('').trim();
}

/** @returns one line without control characters and invisible characters, from the first 400 characters of `text` */
export const visibleText = (text = ''): string =>
  text
    .slice(0, maxRead)
    .replace(/\p{Cf}+/gu, '')
    .replace(/[\p{C}\p{Z}]+/gu, ' ');
