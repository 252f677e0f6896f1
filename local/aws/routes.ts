/** Selects the route of the HTTP API for a request, by API Gateway's own order: the most specific route wins. */

export interface Route {
  /** `PUT /orders/{merchant_uid}`, `ANY /x/{proxy+}` or `$default`. */
  readonly key: string;
  readonly functionId: string;
  readonly signed: boolean;
}

export interface Match {
  readonly route: Route;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** @returns the decoded path, or the path itself when its encoding is malformed */
export function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/**
 * @param path as sent, still encoded
 * @returns undefined when no route matches
 */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match | undefined {
  const found = routes
    .map((route) => ({ route, pathParameters: parametersOf(route.key, method, path) }))
    .filter((match): match is Match => match.pathParameters !== undefined);
  return found.sort((a, b) => (rankOf(a.route.key) < rankOf(b.route.key) ? -1 : 1))[0];
}

function parametersOf(key: string, method: string, path: string): Record<string, string> | undefined {
  if (key === '$default') return {};
  const [verb, pattern = ''] = key.split(' ');
  if (verb !== method && verb !== 'ANY') return undefined;
  const expected = pattern.split('/');
  // The whole path is decoded first, so an encoded slash separates segments: an order number cannot contain one.
  const segments = decoded(path).split('/');
  const parameters: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const name = /^\{(.+?)\+?\}$/.exec(part)?.[1];
    const segment = segments[index];
    if (part.endsWith('+}') && name) {
      const rest = segments.slice(index).join('/');
      return rest ? { ...parameters, [name]: rest } : undefined;
    }
    if (segment === undefined || (name ? segment === '' : segment !== part)) return undefined;
    if (name) parameters[name] = segment;
  }
  return expected.length === segments.length ? parameters : undefined;
}

/**
 * A sort key, lower for the more specific of two routes: segment by segment, exact before `{parameter}` before
 * `{proxy+}`; then a named method before `ANY`; `$default` last.
 */
function rankOf(key: string): string {
  const [verb, pattern] = key.split(' ');
  if (!pattern) return '9';
  const segments = pattern.split('/').map((part) => (part.endsWith('+}') ? 2 : part.startsWith('{') ? 1 : 0));
  return `${segments.join('')} ${verb === 'ANY' ? 1 : 0}`;
}
