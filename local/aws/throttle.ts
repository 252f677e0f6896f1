/** API Gateway's throttling of a stage and its routes: one token bucket per route. */

interface Limit {
  readonly perSecond: number;
  readonly burst: number;
}

export class Throttle {
  readonly #limits: ReadonlyMap<string, Limit>;
  readonly #default: Limit | undefined;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** @param stage the properties of `AWS::ApiGatewayV2::Stage` */
  constructor(stage: Readonly<Record<string, unknown>>) {
    this.#default = limitOf(stage.DefaultRouteSettings);
    const routes = Object.entries((stage.RouteSettings ?? {}) as Record<string, unknown>);
    const limits = routes.map(([key, settings]) => [key, limitOf(settings)] as const);
    this.#limits = new Map(limits.filter((entry): entry is [string, Limit] => entry[1] !== undefined));
  }

  /** @param now milliseconds since 1970 */
  allows(routeKey: string, now: number): boolean {
    const limit = this.#limits.get(routeKey) ?? this.#default;
    if (!limit) return true;
    const bucket = this.#buckets.get(routeKey) ?? { tokens: limit.burst, at: now };
    const tokens = Math.min(limit.burst, bucket.tokens + ((now - bucket.at) / 1000) * limit.perSecond);
    this.#buckets.set(routeKey, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
    return tokens >= 1;
  }
}

function limitOf(settings: unknown): Limit | undefined {
  const { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst } = (settings ?? {}) as Record<string, unknown>;
  return rate === undefined || burst === undefined ? undefined : { perSecond: Number(rate), burst: Number(burst) };
}
