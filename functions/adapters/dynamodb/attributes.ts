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

  /**
   * An attribute with a value. `NULL` counts as absent: a mapper of the shop may write it back for a missing attribute.
   * @param type the only type that we write
   * @throws StoreUnexpected for another type: as absent, it would hide that Iamport accepted a cancel
   */
  #value<Type extends 'S' | 'N' | 'BOOL' | 'M' | 'L' | 'SS'>(attribute: string, type: Type) {
    const value = this.#item[attribute];
    if (value === undefined || value.NULL) return undefined;
    return value[type] ?? this.fail(attribute);
  }

  optionalText(attribute: string): string | undefined {
    return this.#value(attribute, 'S');
  }

  text(attribute: string): string {
    return this.optionalText(attribute) ?? this.fail(attribute);
  }

  optionalCount(attribute: string): number | undefined {
    const number = this.#value(attribute, 'N');
    return number === undefined ? undefined : Number(number);
  }

  count(attribute: string): number {
    return this.optionalCount(attribute) ?? this.fail(attribute);
  }

  /** `true`, or absent. */
  flag(attribute: string): true | undefined {
    return this.#value(attribute, 'BOOL') ? true : undefined;
  }

  money(attribute: string, currency: string): Amount {
    return this.optionalMoney(attribute, currency) ?? this.fail(attribute);
  }

  optionalMoney(attribute: string, currency: string): Amount | undefined {
    const number = this.#value(attribute, 'N');
    return number === undefined ? undefined : (parseAmount(number, currency) ?? this.fail(attribute));
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
    const fields = this.#value(attribute, 'M');
    return fields && read(new ItemReader(fields, `${this.#name}, ${attribute}`));
  }

  map<Value>(attribute: string, read: (fields: ItemReader) => Value): Value {
    return this.optionalMap(attribute, read) ?? this.fail(attribute);
  }

  /** A list of maps; absent is an empty one. */
  maps<Value>(attribute: string, read: (fields: ItemReader) => Value): readonly Value[] {
    const maps = this.#value(attribute, 'L') ?? [];
    return maps.map(({ M }) => read(new ItemReader(M ?? this.fail(attribute), `${this.#name}, ${attribute}`)));
  }

  /** A set of texts; absent is an empty one. */
  texts(attribute: string): readonly string[] {
    return this.#value(attribute, 'SS') ?? [];
  }

  fail(attribute: string): never {
    throw new StoreUnexpected(`The ${attribute} of ${this.#name} is missing or invalid`);
  }
}
