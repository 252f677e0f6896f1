/** Lambda for the simulation: instances of the real functions, composed of the real Iamport client and the real stores. */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Item, Table } from '../../functions/adapters/dynamodb/table.ts';
import type { TableMapping } from '../../functions/adapters/dynamodb/table-mapping.ts';
import type { HttpRequest, TransportResponse } from '../../functions/adapters/iamport/transport.ts';
import {
  BusUnavailable,
  IamportTooLarge,
  IamportUnavailable,
  StoreRefused,
  StoreThrottled,
  StoreUnavailable,
} from '../../functions/application/faults.ts';
import type { Bus, UnreadableRecords } from '../../functions/application/ports/delivery.ts';
import { dependenciesFrom, type HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import type { HttpHandler } from '../../functions/runtime/http-handler.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import {
  type PublisherDependencies,
  publisherDependenciesFrom,
} from '../../functions/runtime/publisher-dependencies.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import type { Accident, Faults } from './faults.ts';
import { type HttpResponse, pgApiKey, type SimulatedIamport } from './iamport.ts';
import { Instance, type Invocation, type Network } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { Release } from './settings.ts';
import type { SimulatedTable } from './table.ts';
import type { Time } from './time.ts';

export type TableName = 'orders' | 'reversals' | 'state';

export interface Parts {
  readonly time: Time;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly network: Network;
  readonly iamport: SimulatedIamport;
  readonly tables: Readonly<Record<TableName, SimulatedTable>>;
  /** The deployment to whose version Lambda sends a call of this function now. */
  readonly releaseFor: (name: string) => Release;
  /** Maps orders to the items of their table. */
  readonly mapping: TableMapping;
  /** The factor on Iamport's usual latency. */
  readonly slowness: number;
  readonly observer: Observer;
  /** What the world of the scenario does to a write of the table of reversals. */
  readonly accidentOfRecord: () => Accident | undefined;
  /** The bus accepts an event. */
  readonly publish: (name: string, detail: object) => void;
  /** A write has taken effect. */
  readonly written: (table: TableName, by: Instance) => void;
}

/** Observes the calls of instances, and the responses that reach them. */
export interface Observer {
  /** An instance sends a call to Iamport. */
  sending(from: Instance, request: HttpRequest): void;
  /** A response of Iamport reaches an instance that is alive. */
  received(by: Instance, response: HttpResponse): void;
  /** An instance reads an item by its key, or writes it. */
  accessed(table: TableName, key: Item, by: Instance): void;
}

/** The HTTP response that a buyer, or Iamport, receives. */
export interface FunctionResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | boolean>>;
  readonly body: string;
  /** How many calls the instance made for it, without those for the token. */
  readonly calls: number;
}

/** As in the template. Milliseconds. */
const httpTimeoutMs = 12_000;
/** Small pages: a few payments fill several, so that changes between two pages are frequent. */
const pageSizes = [4, 2, 1];
const config: Omit<HandlerDependencies['config'], 'orderPrefix'> = {
  iamportApiUrl: 'https://api.iamport.kr',
  resultTargets: { web: 'https://shop.example/result' },
  shopName: '',
  resultPage: {},
  webhookSenders: 'any',
  tiers: [],
};

export class Lambda {
  readonly #parts: Parts;
  readonly #idle = new Map<string, RunningInstance[]>();
  #started = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Sends a request through API Gateway to an idle instance, or to a new one. */
  async request(name: string, handler: HttpHandler, event: APIGatewayProxyEventV2): Promise<FunctionResponse> {
    const { value, calls } = await this.run(name, httpTimeoutMs, ({ deps }) =>
      handleRequest(handler, deps, event, 'request'),
    );
    // The response of API Gateway when the function dies, or times out.
    if (!value) return { status: 500, headers: {}, body: '{"message":"Internal Server Error"}', calls };
    return { status: value.statusCode ?? 200, headers: value.headers ?? {}, body: value.body ?? '', calls };
  }

  /** @returns no value when the instance died, threw, or timed out */
  async run<Value>(name: string, timeoutMs: number, work: (running: RunningInstance) => Promise<Value>) {
    const release = this.#parts.releaseFor(name);
    const version = `${name} ${release.number}`;
    const idle = this.#idle.get(version) ?? [];
    this.#idle.set(version, idle);
    const running = takeAlive(idle) ?? this.#start(name, release);
    const { instance } = running;
    const invocation: Invocation = {};
    instance.invocation = invocation;
    const before = { calls: instance.calls, listCalls: instance.listCalls };
    const value = await runUntilDeath(this.#parts.time, instance, timeoutMs, () => work(running));
    if (instance.isAlive) {
      invocation.endedAt = this.#parts.time.now;
      idle.push(running);
    }
    return {
      value,
      calls: instance.calls - before.calls,
      listCalls: instance.listCalls - before.listCalls,
      isAlive: instance.isAlive,
    };
  }

  #start(name: string, { settings }: Release): RunningInstance {
    const { time, random, faults, mapping } = this.#parts;
    const { orderPrefix, ...policy } = settings;
    this.#started += 1;
    const instance = new Instance(`${name}#${this.#started}`, settings);
    const error = faults.happens('clock is off') ? random.whole(-5_000, 5_000) : 0;
    const clock: Clock = { now: () => time.now + error, sleep: (ms) => time.sleep(ms) };
    const [ofOrders, reversals, state] = (['orders', 'reversals', 'state'] as const).map((table) =>
      this.#port(table, instance),
    ) as [Table, Table, Table];
    const orders = mapping.isShops ? this.#throttling(ofOrders, instance) : ofOrders;
    const create = () =>
      dependenciesFrom({
        tables: { orders, reversals, state },
        mapping,
        transport: (request) => this.#toIamport(instance, request),
        credentials: async () => ({ impKey: 'key', impSecret: 'secret', pgApiKey }),
        clock,
        random: () => random.number(),
        count: () => undefined,
        policy,
        pageSizes,
        config: { ...config, orderPrefix },
      });
    const publisherDeps = (unreadable: UnreadableRecords) =>
      publisherDependenciesFrom({
        bus: this.#bus(instance),
        reversals,
        unreadable,
        clock,
        count: () => undefined,
        log: () => undefined,
        shop: mapping.isShops ? { orders, mapping } : undefined,
      });
    let deps: HandlerDependencies | undefined;
    return {
      instance,
      // The publisher needs none of them.
      get deps() {
        deps ??= create();
        return deps;
      },
      publisherDeps,
    };
  }

  async #toIamport(instance: Instance, request: HttpRequest): Promise<TransportResponse> {
    const { time, network, iamport, observer, slowness } = this.#parts;
    time.check(() => observer.sending(instance, request));
    if (request.path.startsWith('/payments/status/')) instance.listCalls += 1;
    const response = await network.call(instance, {
      what: () => `iamport ${request.method} ${routeOf(request.path)}`,
      effect: () => iamport.respond(request, instance),
      takes: [30 * slowness, 400 * slowness],
      timeoutMs: request.timeoutMs,
      lost: () => {
        instance.faultIn = instance.invocation;
        return new IamportUnavailable('No response');
      },
      isDown: iamport.isDown,
      accident: iamport.accidentOf(request),
    });
    observer.received(instance, response);
    if (response.status >= 400) instance.faultIn = instance.invocation;
    if (response.isTooLarge) throw new IamportTooLarge('The response of Iamport has more than 8 MB');
    return response;
  }

  #port(name: TableName, instance: Instance): Table {
    const { network, tables, random, faults, written, observer, accidentOfRecord } = this.#parts;
    const table = tables[name];
    // Two tries of 0.9 s each, as in functions/runtime/instance.ts.
    const call = <Result>(operation: string, effect: () => Result, conditions?: object) =>
      network.call(instance, {
        what: () => `${name}.${operation}${conditions ? ` ${Object.keys(conditions)}` : ''}`,
        effect,
        takes: [2, 20],
        timeoutMs: 1_800,
        lost: () => new StoreUnavailable('No response'),
        resends: conditions !== undefined,
        isOfState: name === 'state',
        accident: name === 'reversals' && conditions ? accidentOfRecord() : undefined,
      });
    return {
      read: (key) =>
        call('read', () => {
          observer.accessed(name, key, instance);
          return table.read(key);
        }),
      write: async (write) => {
        const result = await call(
          'write',
          () => {
            observer.accessed(name, write.key, instance);
            if (table.refuses(write)) return 'refused';
            const result = table.write(write);
            if (result.written) written(name, instance);
            return result;
          },
          write.conditions,
        );
        // DynamoDB answers with a ValidationException.
        if (result === 'refused') throw new StoreRefused('Item size to update has exceeded the maximum allowed size');
        return result;
      },
      // No keys, no call.
      readMany: async (keys) =>
        keys.length === 0
          ? []
          : call('readMany', () => {
              for (const key of keys) observer.accessed(name, key, instance);
              return keys.map((key) => table.read(key)).filter((item) => item !== undefined);
            }),
      madeAt: () => call('madeAt', () => table.madeAt),
      byOrder: (merchantUid) => call('byOrder', () => table.byOrder(merchantUid)),
      postpone: (key, from, to) =>
        call('postpone', () => {
          observer.accessed(name, key, instance);
          const result = table.postpone(key, from, to);
          if (result.written) written(name, instance);
          return result;
        }),
      due: (shards, now, max) =>
        call('due', () => {
          const behind = faults.happens('index lags') ? random.whole(1, 5) : 0;
          return table.due(shards, now, max, Math.max(0, table.changes.length - behind));
        }),
    };
  }

  /** DynamoDB throttles the calls for some items of the shop's own table, and names no key of a batch. */
  #throttling(port: Table, instance: Instance): Table {
    const { network, tables, observer } = this.#parts;
    const unlessHot =
      <Rest extends unknown[], Result>(
        keysOf: (...call: Rest) => readonly Item[],
        call: (...rest: Rest) => Promise<Result>,
      ) =>
      async (...rest: Rest): Promise<Result> => {
        const keys = keysOf(...rest);
        if (!tables.orders.throttles(keys)) return call(...rest);
        const what = () => 'orders.throttled';
        const lost = () => new StoreUnavailable('No response');
        await network.call(instance, {
          ...{ what, lost, takes: [2, 1_000], timeoutMs: 1_800 },
          effect: () => {
            for (const key of keys) observer.accessed('orders', key, instance);
          },
        });
        throw new StoreThrottled('DynamoDB throttled the call');
      };
    return {
      ...port,
      read: unlessHot((key) => [key], port.read),
      write: unlessHot(({ key }) => [key], port.write),
      readMany: unlessHot((keys) => keys, port.readMany),
      postpone: unlessHot((key) => [key], port.postpone),
    };
  }

  #bus(instance: Instance): Bus {
    const { network, faults, random, publish } = this.#parts;
    return {
      put: (entries) =>
        network.call(instance, {
          what: () => 'bus.put',
          effect: () => {
            const acceptsSome = entries.length > 0 && faults.happens('bus accepts some');
            return entries.map(({ detailType, detail }) => {
              if (acceptsSome && random.is(0.5)) return false;
              publish(detailType, detail);
              return true;
            });
          },
          takes: [5, 60],
          timeoutMs: 5_000,
          lost: () => new BusUnavailable('No response'),
        }),
    };
  }
}

/** An instance may die after it has returned, while it is idle. */
function takeAlive(idle: RunningInstance[]): RunningInstance | undefined {
  for (let taken = idle.pop(); taken; taken = idle.pop()) if (taken.instance.isAlive) return taken;
  return undefined;
}

/** Runs a function in an instance. @returns no value when the instance died, threw, or timed out */
export async function runUntilDeath<Value>(
  time: Time,
  instance: Instance,
  timeoutMs: number,
  work: () => Promise<Value>,
): Promise<Value | undefined> {
  const cancelTimeout = time.after(timeoutMs, () => instance.kill());
  const value = await new Promise<Value | undefined>((resolve) => {
    const end = () => resolve(undefined);
    instance.onDeath(end);
    work().then(resolve, end);
  });
  cancelTimeout();
  return value;
}

export interface RunningInstance {
  readonly instance: Instance;
  readonly deps: HandlerDependencies;
  readonly publisherDeps: (unreadable: UnreadableRecords) => PublisherDependencies;
}

/** The route without its ids. */
function routeOf(path: string): string {
  const [, resource = '', first = '', second] = (path.split('?')[0] ?? '').split('/');
  if (second !== undefined || ['cancel', 'prepare', 'getToken'].includes(first)) return `/${resource}/${first}`;
  return `/${resource}`;
}
