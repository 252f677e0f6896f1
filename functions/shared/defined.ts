/** Objects without empty fields: a field without a value is left out, never `undefined` or `null`. */

type Loose<T> = { [K in keyof T]-?: object extends Pick<T, K> ? T[K] | undefined | null : T[K] };

/** @returns the fields that have a value */
export function defined<T extends object>(fields: Loose<T>): T {
  const present: Record<string, unknown> = {};
  for (const name of Object.keys(fields) as (keyof typeof fields & string)[]) {
    const value = fields[name];
    if (value !== undefined && value !== null) present[name] = value;
  }
  return present as T;
}
