/** The published part of a notification that no API confirms: a few short texts, without personal data. Pure. */

import { foreignText } from './foreign-text.ts';

/** More fields than this are left out, since the sender may be unknown. */
const maxFields = 8;
/** Characters of the name of a field or an event. */
const maxNameLength = 64;

/** Names of fields with personal data. A name or an address alone cannot be recognised by its text. */
const personalField =
  /name|buyer|holder|tel|phone|mobile|mail|addr|post|zip|birth|card|account|vbank|custom|recipient|receiver|이름|성명|전화|휴대|연락|메일|주소|예금주|계좌|카드|생년/i;

/** A count, an amount, a date such as 20261124, or Unix seconds between 2017 and 2033. Other long numbers are masked. */
const plainNumber = /^(?:\d{1,5}|20[2-9]\d[01]\d[0-3]\d|1[5-9]\d{8})$/;

/** @param fields of the notification. Values that are neither texts nor numbers are left out */
export function notificationContent(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const content = Object.entries(fields)
    .filter(
      (field): field is [string, string | number] =>
        field[0] !== '' && !personalField.test(field[0]) && ['string', 'number'].includes(typeof field[1]),
    )
    .slice(0, maxFields)
    .map(([name, value]) => [notificationName(name), textOf(String(value))]);
  return Object.fromEntries(content);
}

/** DynamoDB and EventBridge reject lone surrogates, which the sender or the cut can leave. */
export const notificationName = (text: string): string => foreignText(text.slice(0, maxNameLength));

const textOf = (value: string): string => (plainNumber.test(value) ? value : foreignText(value));
