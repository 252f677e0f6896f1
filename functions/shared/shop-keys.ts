/**
 * The keys of the shop's server. They are in one secret: `{"current": "…", "previous": "…"}`, texts of letters and digits.
 * The first half of a text is the random part of the key for orders, the second half that of the key for money. So
 * CloudFormation can generate both keys as one random text. Pure.
 */

/** `orders`: register and read orders. `money`: refund and close, and everything that `orders` allows. */
export type ShopRight = 'orders' | 'money';

/** The valid keys of each right: one, or two while the shop changes its keys. */
export type ShopKeys = Readonly<Record<ShopRight, readonly string[]>>;

/** The secret's JSON. */
export interface ShopKeySecret {
  readonly current: string;
  /** The keys before the last rotation, until they are retired. */
  readonly previous?: string | undefined;
}

/** Two halves of 43 letters and digits have 256 bits each. */
export const shopKeyTextLength = 86;

export function shopKeysOf({ current, previous }: ShopKeySecret): ShopKeys {
  const texts = previous === undefined ? [current] : [current, previous];
  return {
    orders: texts.map((text) => `sk_orders_${text.slice(0, text.length / 2)}`),
    money: texts.map((text) => `sk_money_${text.slice(text.length / 2)}`),
  };
}
