/**
 * Addresses as text. No `URL` here: the one of React Native and those of browsers disagree about app schemes, and where they disagree a
 * page could mean another place than we compared. What is not plainly an address is none.
 */

/** The scheme in lower case, and what follows its colon. */
export interface Split {
  readonly scheme: string;
  readonly rest: string;
}

/**
 * PGs and card apps write blanks and line breaks into their addresses. As browsers do it, blanks at the ends, tabs and line breaks are
 * dropped, and other blanks are escaped. What the app gets is this form, and never the one that came.
 */
export const asLink = (text: string): string =>
  text
    .trim()
    .replace(/[\t\r\n]/g, '')
    .replace(/[ \u00a0\u3000]/g, encodeURIComponent);

/**
 * A scheme may have `_`, as some apps register it.
 * @returns undefined for what begins with no scheme, or holds spaces, controls or half a character
 */
export function splitAddress(address: string): Split | undefined {
  if (!isPlain(address)) return undefined;
  const [, scheme, rest] = /^([a-z][a-z0-9+._-]*):(.*)$/is.exec(address) ?? [];
  return scheme && rest !== undefined ? { scheme: scheme.toLowerCase(), rest } : undefined;
}

/** KG Inicis wants `app_scheme` with `://`, others without. @returns it in small letters and without; undefined for what is none */
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

/** A web address whose host is a plain name: no user, no backslash. `query` begins with `?` or is empty. The fragment is dropped. */
export interface WebAddress {
  readonly origin: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

const WEB = /^\/\/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?(\/[^?#\\]*)?(\?[^#]*)?(?:#.*)?$/i;
const USUAL_PORT: Record<string, string> = { https: '443', http: '80' };

/** @returns undefined for whatever is no such address with `http` or `https` */
export function webAddress(address: string): WebAddress | undefined {
  const split = splitAddress(address);
  const usualPort = split && USUAL_PORT[split.scheme];
  if (!split || !usualPort) return undefined;
  const [matched, name = '', port = usualPort, path = '/', query = ''] = WEB.exec(split.rest) ?? [];
  if (matched === undefined) return undefined;
  const host = name.toLowerCase();
  return {
    origin: `${split.scheme}://${host}${Number(port) === Number(usualPort) ? '' : `:${Number(port)}`}`,
    host,
    path,
    query,
  };
}

/**
 * The same page: origin and path; the query and slashes at the end may differ. A path with dots or escapes in it is what it is, and
 * equals only itself.
 */
export function isSamePage(one: WebAddress, other: WebAddress): boolean {
  return one.origin === other.origin && withoutSlash(one.path) === withoutSlash(other.path);
}

const withoutSlash = (path: string): string => path.replace(/\/+$/, '');

/** The first value of a name in a query, decoded. Some PGs add their fields behind a second `?`, so that it separates like `&`. */
export function queryValue(query: string, name: string): string | undefined {
  for (const pair of query.split(/[?&]/)) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals) === name) return decoded(pair.slice(equals + 1).replace(/\+/g, ' '));
  }
  return undefined;
}

/** What cannot be decoded as UTF-8 stays as it is: there are pages in EUC-KR that escape in that. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
