/**
 * The settings of the control page: one mutable object that the parts of the fake Iamport share and read at each use.
 */

import * as z from 'zod';

export const settingsFields = z.strictObject({
  /** The URL to send webhooks to; empty to send none. */
  webhookUrl: z.union([z.url(), z.literal('')]),
  webhooks: z.enum(['now', 'late', 'twice', 'never']),
  /** The delay of `late`. */
  lateSeconds: z.coerce.number().min(0).max(3600),
  format: z.enum(['json', 'form']),
  /** Up to five repeats, a minute apart, after a 5xx or a network error. A merchant can request them from PortOne. */
  repeats: z.boolean(),
  repeatSeconds: z.coerce.number().min(0).max(3600),
  /** Older SDKs add `success` (on a phone `imp_success`) to the result that the browser returns; newer ones do not. */
  sdkReturnsSuccess: z.boolean(),
  pgRefusesCancels: z.boolean(),
  /** The PG accepts cancels at once and refunds the money later, when it processes them. */
  pgDefersCancels: z.boolean(),
  /** The cancel reason that the PG stores: unchanged, its first 20 bytes, a text of the PG, or none. */
  cancelReasons: z.enum(['kept', 'cut', 'replaced', 'dropped']),
});

export type Settings = z.infer<typeof settingsFields>;

/** The defaults of a merchant who has changed no setting in the console. */
export const defaultSettings = (webhookUrl = ''): Settings => ({
  webhookUrl,
  webhooks: 'now',
  lateSeconds: 10,
  format: 'json',
  repeats: false,
  repeatSeconds: 60,
  sdkReturnsSuccess: true,
  pgRefusesCancels: false,
  pgDefersCancels: false,
  cancelReasons: 'kept',
});

/** The reason that the cancel history stores. */
export const storedReasons: Readonly<Record<Settings['cancelReasons'], (reason: string) => string | null>> = {
  kept: (reason) => reason,
  cut: (reason) => Buffer.from(reason).subarray(0, 20).toString(),
  replaced: () => '고객 요청에 의한 취소',
  dropped: () => null,
};
