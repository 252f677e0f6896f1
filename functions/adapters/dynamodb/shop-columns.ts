/** Attribute names in a shop's own table of orders. The CDK construct imports this file too, so it imports no SDK. */

/** The prefix of every attribute that we add to the table. */
export const prefix = 'iamport_';

/** The shop's names of our `merchant_uid`, `amount` and `currency`. */
export interface ShopColumns {
  readonly key: string;
  /** A number in major units. */
  readonly amount: string;
  /** Orders are in KRW when this is undefined, and when an item lacks the attribute. */
  readonly currency?: string | undefined;
}
