/** The JSON form of a virtual account, in HTTP responses and in events. */

import type { VirtualAccount } from '../payment/payment.ts';

/** @returns `due_at` is the deadline of the deposit; times are Unix seconds */
export const accountJson = ({ bank, number, holder, depositDeadline, issuedAt }: VirtualAccount) => ({
  bank,
  number,
  holder,
  due_at: depositDeadline,
  issued_at: issuedAt,
});
