/** What can be set on the control page. One mutable object that the parts of the stand-in share and read each time. */

import * as z from 'zod';

export const settingsFields = z.strictObject({
  /** Where webhooks go; empty for nowhere. */
  webhookUrl: z.union([z.url(), z.literal('')]),
  webhooks: z.enum(['now', 'late', 'twice', 'never']),
  /** How late `late` is. */
  lateSeconds: z.coerce.number().min(0).max(3600),
  format: z.enum(['json', 'form']),
  /** Up to five repeats, a minute apart, after a 5xx or a network error: what a merchant can ask PortOne for. */
  repeats: z.boolean(),
  repeatSeconds: z.coerce.number().min(0).max(3600),
  /** Older SDKs add `success` (on a phone `imp_success`) to what the browser brings back; newer ones do not. */
  sdkTellsSuccess: z.boolean(),
  pgRefusesCancels: z.boolean(),
  /** The PG accepts cancels now and pays them back when it processes them. */
  pgDefersCancels: z.boolean(),
  /** What the PG makes of the reason of a cancel: unchanged, the first 20 bytes, its own words, nothing. */
  cancelReasons: z.enum(['kept', 'cut', 'replaced', 'dropped']),
});

export type Settings = z.infer<typeof settingsFields>;

/** As a merchant finds them who has changed nothing in the console. */
export const settingsAtFirst = (webhookUrl = ''): Settings => ({
  webhookUrl,
  webhooks: 'now',
  lateSeconds: 10,
  format: 'json',
  repeats: false,
  repeatSeconds: 60,
  sdkTellsSuccess: true,
  pgRefusesCancels: false,
  pgDefersCancels: false,
  cancelReasons: 'kept',
});

/** What the history stores of a cancel's reason. */
export const storedReasons: Readonly<Record<Settings['cancelReasons'], (reason: string) => string | null>> = {
  kept: (reason) => reason,
  cut: (reason) => Buffer.from(reason).subarray(0, 20).toString(),
  replaced: () => '고객 요청에 의한 취소',
  dropped: () => null,
};
