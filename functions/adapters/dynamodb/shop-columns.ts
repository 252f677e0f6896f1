/** What is called how in a shop's own table of orders. The construct needs it too, so it knows nothing of DynamoDB. */

/** Before the names of what we add to the table. */
export const prefix = 'iamport_';

/** What a shop calls in its own table what we call `merchant_uid`, `amount` and `currency`. */
export interface ShopColumns {
  readonly key: string;
  /** A number in major units. */
  readonly amount: string;
  /** Without one, and in items that lack it, orders are in KRW. */
  readonly currency?: string | undefined;
}
