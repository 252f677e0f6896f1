/** Converts between attribute values of DynamoDB and plain values. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { StoreUnexpected } from '../../application/faults.ts';
import { type Amount, majorUnits, parseAmount } from '../../payment/money.ts';
import type { Item } from './table.ts';

export const text = (value: string): AttributeValue => ({ S: value });
export const count = (value: number): AttributeValue => ({ N: String(value) });
/** Amounts are stored in major units, as in Iamport's API and in a shop's own table. DynamoDB's decimals are exact. */
export const money = (amount: Amount, currency: string): AttributeValue => count(majorUnits(amount, currency));

/** Sets the attribute to the value. An undefined value removes the attribute. */
export const optional = <Value>(write: (value: Value) => AttributeValue, value: Value | undefined) =>
  value === undefined ? undefined : write(value);

/** A map of the fields that have a value. */
export function map(fields: Readonly<Record<string, AttributeValue | undefined>>): AttributeValue {
  const present = Object.entries(fields).filter((field): field is [string, AttributeValue] => field[1] !== undefined);
  return { M: Object.fromEntries(present) };
}

/** Reads an item attribute by attribute. Its errors name the item and the attribute. */
export class ItemReader {
  readonly #item: Item;
  readonly #name: string;

  /** @param name the item's name in errors, such as `order m_1` */
  constructor(item: Item, name: string) {
    this.#item = item;
    this.#name = name;
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
    return parseAmount(this.#item[attribute]?.N ?? '', currency) ?? this.fail(attribute);
  }

  optionalMoney(attribute: string, currency: string): Amount | undefined {
    return this.#item[attribute] && this.money(attribute, currency);
  }

  /**
   * Reads one of a few words.
   * @throws StoreUnexpected for an unknown word, which a newer version wrote: guessing could misjudge money
   */
  optionalWord<Word extends string>(attribute: string, words: Readonly<Record<Word, true>>): Word | undefined {
    const word = this.optionalText(attribute);
    if (word === undefined) return undefined;
    return Object.hasOwn(words, word) ? (word as Word) : this.fail(attribute);
  }

  word<Word extends string>(attribute: string, words: Readonly<Record<Word, true>>): Word {
    return this.optionalWord(attribute, words) ?? this.fail(attribute);
  }

  optionalMap<Value>(attribute: string, read: (fields: ItemReader) => Value): Value | undefined {
    const fields = this.#item[attribute]?.M;
    return fields && read(new ItemReader(fields, `${this.#name}, ${attribute}`));
  }

  map<Value>(attribute: string, read: (fields: ItemReader) => Value): Value {
    return this.optionalMap(attribute, read) ?? this.fail(attribute);
  }

  fail(attribute: string): never {
    throw new StoreUnexpected(`The ${attribute} of ${this.#name} is missing or invalid`);
  }
}
