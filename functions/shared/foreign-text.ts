/**
 * Masks the texts that a PG, a payment window or Iamport wrote, before they are stored, logged, published or shown.
 * They may contain an account number, a phone number, a name or a link. Those are masked, and the rest is truncated.
 * Pure.
 */

/** A reason is one sentence. Characters, before masks. */
const maxReasonLength = 100;
const mask = '***';

/** Six digits and more, also with `-`, `.` or blanks between them: account, phone, card and registration numbers. */
const longNumber = /\d(?:[-. ]?\d){5,}/g;
const mailAddress = /[^\s@<>()[\],;:]+@[^\s@<>()[\],;:]+\.[^\s@<>()[\],;:]+/g;
const link = /(?:https?:\/\/|www\.)\S*/gi;
/** The text after a label of a name: `예금주: 홍길동`, `고객명(홍길동)`. */
const labelledName =
  /((?:예금주|입금자|구매자|주문자|고객|회원|수취인|성명|이름)(?:명|성명|이름)?\s*[:=([]\s*|(?:예금주명?|입금자명?|고객명|성명)\s+)[^\s)\],.]+/g;
/** `홍길동님`, but not 고객님 or 회원님. */
const politeName = /(?<![가-힣])(?!고객|회원|손님|사용자|구매자)[가-힣]{2,4}(?=\s?님)/g;

/** @returns at most 100 characters by default, with personal data masked; empty for a text that is empty or missing */
export function foreignText(text: string | undefined, maxLength = maxReasonLength): string {
  if (!text) return '';
  const masked = text
    .slice(0, maxLength * 4)
    .replace(mailAddress, mask)
    .replace(link, mask)
    .replace(labelledName, `$1${mask}`)
    .replace(politeName, mask)
    .replace(longNumber, mask);
  return [...masked].slice(0, maxLength).join('').toWellFormed().trim();
}
