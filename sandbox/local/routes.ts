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

/**
 * @param path as sent, still encoded
 * @returns undefined when no route matches
 */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match | undefined {
  const found = routes
    .map((route) => ({ route, pathParameters: parametersOf(route.key, method, path) }))
    .filter((match): match is Match => match.pathParameters !== undefined);
  return found.sort((a, b) => rankOf(b.route.key) - rankOf(a.route.key))[0];
}

function parametersOf(key: string, method: string, path: string): Record<string, string> | undefined {
  if (key === '$default') return {};
  const [verb, pattern = ''] = key.split(' ');
  if (verb !== method && verb !== 'ANY') return undefined;
  const wanted = pattern.split('/');
  const segments = path.split('/');
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const name = /^\{(.+?)\+?\}$/.exec(part)?.[1];
    const segment = segments[index];
    if (part.endsWith('+}') && name) {
      const rest = segments.slice(index).join('/');
      return rest ? { ...parameters, [name]: decoded(rest) } : undefined;
    }
    if (segment === undefined || (name ? segment === '' : segment !== part)) return undefined;
    if (name) parameters[name] = decoded(segment);
  }
  return wanted.length === segments.length ? parameters : undefined;
}

/** Exact before `{parameter}` before `{proxy+}` before `$default`; a method of its own before `ANY`. */
function rankOf(key: string): number {
  if (key === '$default') return 0;
  const pattern = key.includes('+}') ? 1 : key.includes('{') ? 2 : 3;
  return pattern * 2 + (key.startsWith('ANY ') ? 0 : 1);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
