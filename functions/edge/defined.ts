/** Absent is absent: a field without a value is left out, never `undefined` or `null`. */

type Loose<T> = { [K in keyof T]-?: object extends Pick<T, K> ? T[K] | undefined | null : T[K] };

/** The fields that have a value. */
export const defined = <T extends object>(fields: Loose<T>): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as T;
