/** Cross-origin requests as API Gateway answers them from an API's `CorsConfiguration`: the function is not asked. */

import type { IncomingMessage } from 'node:http';

interface CorsConfiguration {
  readonly AllowOrigins?: readonly string[];
  readonly AllowMethods?: readonly string[];
  readonly AllowHeaders?: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  readonly MaxAge?: number;
}

export class Cors {
  readonly #configuration: CorsConfiguration | undefined;

  /** @param api the properties of `AWS::ApiGatewayV2::Api` */
  constructor(api: Readonly<Record<string, unknown>>) {
    this.#configuration = api.CorsConfiguration as CorsConfiguration | undefined;
  }

  /** The headers of the answer to a preflight, which is always 204; undefined when the request is none, or the API has no CORS. */
  preflight(request: IncomingMessage): Record<string, string> | undefined {
    const { origin, 'access-control-request-method': method } = request.headers;
    if (!this.#configuration || request.method !== 'OPTIONS' || !origin || !method) return undefined;
    const { AllowMethods = [], AllowHeaders = [], MaxAge } = this.#configuration;
    const allowed = this.#allowing(origin);
    if (Object.keys(allowed).length === 0) return {};
    return {
      ...allowed,
      'access-control-allow-methods': AllowMethods.join(','),
      'access-control-allow-headers': AllowHeaders.join(','),
      ...(MaxAge !== undefined && { 'access-control-max-age': String(MaxAge) }),
    };
  }

  /** The headers of any other answer: with the template's configuration, those of the function do not count. */
  headersOf(request: IncomingMessage, answered: Readonly<Record<string, string>>): Record<string, string> {
    if (!this.#configuration) return { ...answered };
    const own = Object.entries(answered).filter(([name]) => !name.startsWith('access-control-'));
    return { ...Object.fromEntries(own), ...this.#allowing(request.headers.origin) };
  }

  /** Nothing for an origin that is not on the list. */
  #allowing(origin: string | undefined): Record<string, string> {
    const { AllowOrigins = [], ExposeHeaders = [] } = this.#configuration ?? {};
    if (!origin || !AllowOrigins.includes(origin)) return {};
    return {
      'access-control-allow-origin': origin,
      ...(ExposeHeaders.length > 0 && { 'access-control-expose-headers': ExposeHeaders.join(',') }),
      vary: 'Origin',
    };
  }
}
