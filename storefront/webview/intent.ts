/**
 * Android's intent URIs: `intent:<the rest of the address>#Intent;scheme=…;package=…;end`. Parses and prints them.
 * Grammar: android.content.Intent.parseUri. More lenient than Android in one place: a field of an unknown kind is
 * ignored.
 */

import { decoded, splitAddress } from './address.ts';

/** The fields that name a part of an app, in the intent itself or in its selector. */
export interface IntentTarget {
  readonly scheme?: string;
  readonly package?: string;
  readonly component?: string;
  readonly action?: string;
  readonly categories: readonly string[];
  readonly type?: string;
}

/** A value for the app, with the letter of its type: `S` is a string, `B` a boolean, `i` an integer. */
export interface IntentExtra {
  readonly type: string;
  readonly key: string;
  readonly value: string;
}

export interface IntentUri extends IntentTarget {
  /** The text after the scheme's colon, or the whole address without a `scheme` field. As written: escapes stay. */
  readonly address: string;
  readonly extras: readonly IntentExtra[];
  /** Other fields of Android: launchFlags, sourceBounds, identifier. */
  readonly others: readonly { readonly key: string; readonly value: string }[];
  /** Selects the app instead of the address. */
  readonly selector?: IntentTarget;
}

type Draft = { -readonly [K in keyof IntentTarget]: IntentTarget[K] } & { categories: string[] };
const NAMED = ['scheme', 'package', 'component', 'action', 'type'] as const;
const OTHERS = ['launchFlags', 'sourceBounds', 'identifier'];
const EXTRA = /^([SBbcdfils])\.(.*)$/s;
const MARK = '#Intent;';

/** @returns undefined for a text that is not an intent URI, or has no `end` */
export function parseIntent(uri: string): IntentUri | undefined {
  const split = splitAddress(uri);
  if (split?.scheme !== 'intent') return undefined;
  const mark = split.rest.lastIndexOf(MARK);
  if (mark < 0) return undefined;
  const fields = split.rest.slice(mark + MARK.length).split(';');
  const end = fields.findIndex((field) => field.startsWith('end'));
  if (end < 0) return undefined;

  const itself: Draft = { categories: [] };
  const extras: IntentExtra[] = [];
  const others: { key: string; value: string }[] = [];
  let selector: Draft | undefined;
  for (const field of fields.slice(0, end)) {
    if (field === 'SEL') {
      selector = { categories: [] };
      continue;
    }
    const equals = field.indexOf('=');
    const key = field.slice(0, Math.max(equals, 0));
    const value = decoded(field.slice(equals + 1));
    const [, type, name] = EXTRA.exec(key) ?? [];
    if (type && name) extras.push({ type, key: decoded(name), value });
    else if (OTHERS.includes(key)) others.push({ key, value });
    else setTarget(selector ?? itself, key, value);
  }
  return { address: split.rest.slice(0, mark), ...itself, extras, others, ...(selector && { selector }) };
}

function setTarget(target: Draft, key: string, value: string): void {
  if (key === 'category' && value) target.categories.push(value);
  for (const name of NAMED) if (name === key && value) target[name] = value;
}

/** Prints an intent in one order and fully escaped. `parseIntent` of it returns the same intent. */
export function printIntent(intent: IntentUri): string {
  const fields = [
    ...printTarget(intent),
    ...intent.others.map(({ key, value }) => `${key}=${escaped(value)}`),
    ...intent.extras.map(({ type, key, value }) => `${type}.${escaped(key)}=${escaped(value)}`),
    ...(intent.selector ? ['SEL', ...printTarget(intent.selector)] : []),
    'end',
  ];
  return `intent:${intent.address}${MARK}${fields.join(';')}`;
}

const printTarget = (target: IntentTarget): string[] => [
  ...NAMED.flatMap((name) => (target[name] ? [`${name}=${escaped(target[name])}`] : [])),
  ...target.categories.map((category) => `category=${escaped(category)}`),
];

const escaped = encodeURIComponent;

/** The address in the intent, for the app: with `scheme:` in front if the intent has one. Empty without an address. */
export function addressOf({ scheme, address }: IntentUri): string {
  if (!scheme) return address;
  return address ? `${scheme}:${address}` : `${scheme}://`;
}
