/** CORS as API Gateway does it from an API's `CorsConfiguration`: preflight requests never reach the function. */

import type { IncomingMessage } from 'node:http';

/** The page of a shop's server on this machine. Its http origin cannot be in the configuration, which takes https only. */
const isOfThisMachine = (origin: string): boolean => /^http:\/\/(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(origin);

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

  get allowedOrigins(): readonly string[] {
    return this.#configuration?.AllowOrigins ?? [];
  }

  /**
   * @returns the headers of the response to a preflight, which is always 204; undefined when the request is not a
   *   preflight, or the API has no CORS
   */
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

  /**
   * The headers of any other response. With a `CorsConfiguration`, API Gateway drops the function's own CORS headers.
   */
  headersOf(request: IncomingMessage, headers: Readonly<Record<string, string>>): Record<string, string> {
    if (!this.#configuration) return { ...headers };
    const others = Object.entries(headers).filter(([name]) => !name.startsWith('access-control-'));
    return { ...Object.fromEntries(others), ...this.#allowing(request.headers.origin) };
  }

  /** @returns no headers for an origin that is not on the list */
  #allowing(origin: string | undefined): Record<string, string> {
    const { AllowOrigins = [], ExposeHeaders = [] } = this.#configuration ?? {};
    if (!origin || !(AllowOrigins.includes(origin) || isOfThisMachine(origin))) return {};
    return {
      'access-control-allow-origin': origin,
      ...(ExposeHeaders.length > 0 && { 'access-control-expose-headers': ExposeHeaders.join(',') }),
      vary: 'Origin',
    };
  }
}
