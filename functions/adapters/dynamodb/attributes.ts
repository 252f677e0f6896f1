/** Attributes of an item, written from and read into plain values. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { StoreUnexpected } from '../../application/faults.ts';
import type { Amount } from '../../payment/money.ts';
import { amountOf, majorUnits } from '../../payment/money.ts';
import type { Item } from './table.ts';

export const text = (value: string): AttributeValue => ({ S: value });
export const count = (value: number): AttributeValue => ({ N: String(value) });
/** Money is kept in major units, as Iamport and a shop's own table have it; DynamoDB's decimals are exact. */
export const money = (amount: Amount, currency: string): AttributeValue => count(majorUnits(amount, currency));

/** Writes the attribute if there is a value, and removes it otherwise. */
export const optional = <Value>(write: (value: Value) => AttributeValue, value: Value | undefined) =>
  value === undefined ? undefined : write(value);

/** A map of those fields that have a value. */
export function map(fields: Readonly<Record<string, AttributeValue | undefined>>): AttributeValue {
  const present = Object.entries(fields).filter((field): field is [string, AttributeValue] => field[1] !== undefined);
  return { M: Object.fromEntries(present) };
}

/** Reads an item attribute by attribute, and names the item and the attribute that is not what it should be. */
export class Reader {
  readonly #item: Item;
  readonly #of: string;

  /** @param of the item's name in errors, such as `order m_1` */
  constructor(item: Item, of: string) {
    this.#item = item;
    this.#of = of;
  }

  optionalText(attribute: string): string | undefined {
    return this.#item[attribute]?.S;
  }

  text(attribute: string): string {
    return this.optionalText(attribute) ?? this.fail(attribute);
  }

  optionalCount(attribute: string): number | undefined {
    const number = this.#item[attribute]?.N;
    return number === undefined ? undefined : Number(number);
  }

  count(attribute: string): number {
    return this.optionalCount(attribute) ?? this.fail(attribute);
  }

  /** `true`, or absent. */
  flag(attribute: string): true | undefined {
    return this.#item[attribute]?.BOOL ? true : undefined;
  }

  money(attribute: string, currency: string): Amount {
    return amountOf(this.#item[attribute]?.N ?? '', currency) ?? this.fail(attribute);
  }

  optionalMoney(attribute: string, currency: string): Amount | undefined {
    return this.#item[attribute] && this.money(attribute, currency);
  }

  /** One of a few words. A word that this version does not know is an error: it would decide about money without knowing it. */
  optionalWord<Word extends string>(attribute: string, words: Readonly<Record<Word, true>>): Word | undefined {
    const word = this.optionalText(attribute);
    if (word === undefined) return undefined;
    return Object.hasOwn(words, word) ? (word as Word) : this.fail(attribute);
  }

  word<Word extends string>(attribute: string, words: Readonly<Record<Word, true>>): Word {
    return this.optionalWord(attribute, words) ?? this.fail(attribute);
  }

  optionalMap<Value>(attribute: string, read: (fields: Reader) => Value): Value | undefined {
    const fields = this.#item[attribute]?.M;
    return fields && read(new Reader(fields, `${this.#of}, ${attribute}`));
  }

  map<Value>(attribute: string, read: (fields: Reader) => Value): Value {
    return this.optionalMap(attribute, read) ?? this.fail(attribute);
  }

  fail(attribute: string): never {
    throw new StoreUnexpected(`The ${attribute} of ${this.#of} is missing or not what we write`);
  }
}
