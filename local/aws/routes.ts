/** Which route of the HTTP API answers a request, by API Gateway's own order: the most exact one wins. */

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

/** What is not well encoded is taken as it is. */
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
  const wanted = pattern.split('/');
  // The whole path is decoded first, so an encoded slash is a slash: an order number cannot have one.
  const segments = decoded(path).split('/');
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const name = /^\{(.+?)\+?\}$/.exec(part)?.[1];
    const segment = segments[index];
    if (part.endsWith('+}') && name) {
      const rest = segments.slice(index).join('/');
      return rest ? { ...parameters, [name]: rest } : undefined;
    }
    if (segment === undefined || (name ? segment === '' : segment !== part)) return undefined;
    if (name) parameters[name] = segment;
  }
  return wanted.length === segments.length ? parameters : undefined;
}

/**
 * A text that sorts first for the more exact of two routes: segment by segment, exact before `{parameter}` before `{proxy+}`;
 * then a method of its own before `ANY`; `$default` last.
 */
function rankOf(key: string): string {
  const [verb, pattern] = key.split(' ');
  if (!pattern) return '9';
  const segments = pattern.split('/').map((part) => (part.endsWith('+}') ? 2 : part.startsWith('{') ? 1 : 0));
  return `${segments.join('')} ${verb === 'ANY' ? 1 : 0}`;
}
