/** HTML as a tagged template that escapes by default. */

/** A piece of HTML: `html` inserts it without escaping it. Only `html` and `raw` make one. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

type Value = Html | readonly Html[] | string | number | false | undefined;

/**
 * Escapes every value that is not `Html`, for element content and for quoted attributes.
 * `false` and `undefined` insert nothing; a list inserts its elements one after the other.
 */
export const html = (strings: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(String.raw({ raw: strings }, ...values.map(textOf)));

/** Marks a constant of ours as HTML: a style, a script. Never for a text from outside. */
export const raw = (text: string): Html => new Html(text);

function textOf(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(textOf).join('');
  return String(value).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
