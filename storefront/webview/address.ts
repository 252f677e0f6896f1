/**
 * Addresses as text. Without `URL`, since React Native and browsers parse app schemes differently: a page could open an
 * address other than the compared one. A text that is not clearly an address is rejected.
 */

/** The scheme in lower case, and the text after its colon. */
export interface Split {
  readonly scheme: string;
  readonly rest: string;
}

/**
 * PGs and card apps write blanks and line breaks into their addresses. As in browsers, blanks at the ends, tabs and
 * line breaks are dropped, and other blanks are escaped. The app gets only this form.
 */
export const asLink = (text: string): string =>
  text
    .trim()
    .replace(/[\t\r\n]/g, '')
    .replace(/[ \u00a0\u3000]/g, encodeURIComponent);

/**
 * A scheme may contain `_`, since some apps register one.
 * @returns undefined for a text without a scheme, or with spaces, control characters or lone surrogates
 */
export function splitAddress(address: string): Split | undefined {
  if (!isPlain(address)) return undefined;
  const [, scheme, rest] = /^([a-z][a-z0-9+._-]*):(.*)$/is.exec(address) ?? [];
  return scheme && rest !== undefined ? { scheme: scheme.toLowerCase(), rest } : undefined;
}

/**
 * KG Inicis wants `app_scheme` with `://`, others without.
 * @returns it in lower case without `://`; undefined for an invalid scheme
 */
export function bareScheme(text: string): string | undefined {
  const scheme = text.replace(/:(?:\/\/)?$/, '');
  return splitAddress(`${scheme}:`)?.rest === '' ? scheme.toLowerCase() : undefined;
}

function isPlain(address: string): boolean {
  for (const character of address) {
    const code = character.codePointAt(0) ?? 0;
    if (code <= 0x20 || (code >= 0x7f && code <= 0xa0) || (code >= 0xd800 && code <= 0xdfff)) return false;
  }
  return !/\s/.test(address);
}

/**
 * A web address whose host is a plain name: no user, no backslash. `query` begins with `?` or is empty. The fragment is
 * dropped.
 */
export interface WebAddress {
  readonly origin: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

const WEB = /^\/\/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?(\/[^?#\\]*)?(\?[^#]*)?(?:#.*)?$/i;
const DEFAULT_PORT: Record<string, string> = { https: '443', http: '80' };

/** @returns undefined for any other text, and for a scheme other than `http` or `https` */
export function webAddress(address: string): WebAddress | undefined {
  const split = splitAddress(address);
  const defaultPort = split && DEFAULT_PORT[split.scheme];
  if (!split || !defaultPort) return undefined;
  const [matched, name = '', port = defaultPort, path = '/', query = ''] = WEB.exec(split.rest) ?? [];
  if (matched === undefined) return undefined;
  const host = name.toLowerCase();
  return {
    origin: `${split.scheme}://${host}${Number(port) === Number(defaultPort) ? '' : `:${Number(port)}`}`,
    host,
    path,
    query,
  };
}

/**
 * Compares origin and path; the query and trailing slashes may differ. Dots and escapes in a path are not normalized.
 */
export function isSamePage(one: WebAddress, other: WebAddress): boolean {
  return one.origin === other.origin && withoutSlash(one.path) === withoutSlash(other.path);
}

const withoutSlash = (path: string): string => path.replace(/\/+$/, '');

/**
 * The first value of a name in a query, decoded. Some PGs append their fields after a second `?`, so it separates like
 * `&`.
 */
export function queryValue(query: string, name: string): string | undefined {
  for (const pair of query.split(/[?&]/)) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals) === name) return decoded(pair.slice(equals + 1).replace(/\+/g, ' '));
  }
  return undefined;
}

/** Returns a text that is not UTF-8 unchanged: pages in EUC-KR escape in EUC-KR. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
