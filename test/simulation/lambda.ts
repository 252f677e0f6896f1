/** Lambda for the simulation: instances of the real doors and workers, put together from the real client and the real stores. */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { checkpointsIn } from '../../functions/adapters/dynamodb/checkpoints.ts';
import { notificationsIn } from '../../functions/adapters/dynamodb/notifications.ts';
import { ordersIn } from '../../functions/adapters/dynamodb/orders.ts';
import { type OverwrittenItems, overwrittenItemsIn } from '../../functions/adapters/dynamodb/overwritten.ts';
import { refundsIn } from '../../functions/adapters/dynamodb/refunds.ts';
import { reversalsIn } from '../../functions/adapters/dynamodb/reversals.ts';
import { sharedTokenIn } from '../../functions/adapters/dynamodb/state.ts';
import type { Item, Table } from '../../functions/adapters/dynamodb/table.ts';
import type { Layout } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { iamportClient } from '../../functions/adapters/iamport/client.ts';
import type { HttpAnswer, HttpRequest } from '../../functions/adapters/iamport/transport.ts';
import {
  BusUnavailable,
  IamportTooLarge,
  IamportUnavailable,
  StoreRefused,
  StoreUnavailable,
} from '../../functions/application/faults.ts';
import type { Bus } from '../../functions/application/ports.ts';
import { unknownPaymentsBy } from '../../functions/application/unknown-payments.ts';
import type { Policy } from '../../functions/payment/decide.ts';
import type { Rooms } from '../../functions/runtime/dependencies.ts';
import { type Door, visit } from '../../functions/runtime/lambda-handler.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import type { Weather } from './faults.ts';
import { type Answer, pgApiKey, type SimulatedIamport } from './iamport.ts';
import { Instance, type Network } from './network.ts';
import type { Chance } from './random.ts';
import type { SimulatedTable } from './table.ts';
import type { Time } from './time.ts';

export type TableName = 'orders' | 'reversals' | 'state';

export interface Parts {
  readonly time: Time;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly network: Network;
  readonly iamport: SimulatedIamport;
  readonly tables: Readonly<Record<TableName, SimulatedTable>>;
  readonly policy: Policy;
  /** How orders lie in their table. */
  readonly layout: Layout;
  /** How many times as long as usual Iamport takes. */
  readonly slowness: number;
  readonly observer: Observer;
  /** The bus takes an event. */
  readonly take: (name: string, detail: object) => void;
  /** A write has taken effect. */
  readonly written: (table: TableName, by: Instance) => void;
}

/** Is shown what instances ask for, and what reaches them. */
export interface Observer {
  /** A call to Iamport leaves an instance. */
  sending(from: Instance, request: HttpRequest): void;
  /** An answer of Iamport's reaches an instance that lives. */
  heard(by: Instance, answer: Answer): void;
  /** An item is asked for by its key, or written. */
  looked(table: TableName, key: Item, by: Instance): void;
}

/** What a buyer, or Iamport, hears of a request. */
export interface Heard {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | boolean>>;
  readonly body: string;
  /** How many calls were made for it, those for the token aside. */
  readonly calls: number;
}

/** As the template has it. Milliseconds. */
const doorTimeoutMs = 12_000;

export class Lambda {
  readonly #parts: Parts;
  readonly #idle = new Map<string, Open[]>();
  #opened = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A request through API Gateway: to an idle instance, or to a new one. */
  async request(name: string, door: Door, event: APIGatewayProxyEventV2): Promise<Heard> {
    const { value, calls } = await this.run(name, doorTimeoutMs, ({ rooms }) => visit(door, rooms, event, 'request'));
    // What API Gateway says when the function dies, or runs out of time.
    if (!value) return { status: 500, headers: {}, body: '{"message":"Internal Server Error"}', calls };
    return { status: value.statusCode ?? 200, headers: value.headers ?? {}, body: value.body ?? '', calls };
  }

  /** @returns no value when the instance died, threw, or ran out of time */
  async run<Value>(name: string, timeoutMs: number, work: (open: Open) => Promise<Value>) {
    const idle = this.#idle.get(name) ?? [];
    this.#idle.set(name, idle);
    const open = idle.pop() ?? this.#open(name);
    const { instance } = open;
    const before = instance.calls;
    const spare = this.#parts.time.after(timeoutMs, () => instance.kill());
    const died = new Promise<undefined>((resolve) => instance.whenItDies(() => resolve(undefined)));
    const value = await Promise.race([work(open).catch(() => undefined), died]);
    spare();
    if (instance.isAlive) idle.push(open);
    return { value, calls: instance.calls - before, isAlive: instance.isAlive };
  }

  #open(name: string): Open {
    const { time, chance, weather, policy, layout } = this.#parts;
    this.#opened += 1;
    const instance = new Instance(`${name}#${this.#opened}`);
    const off = weather.strikes('clock is off') ? chance.whole(-5_000, 5_000) : 0;
    const clock: Clock = { now: () => time.now + off, sleep: (ms) => time.sleep(ms) };
    const [orders, reversals, state] = (['orders', 'reversals', 'state'] as const).map((table) =>
      this.#port(table, instance),
    ) as [Table, Table, Table];
    const rooms: Rooms = {
      iamport: iamportClient({
        transport: (request) => this.#toIamport(instance, request),
        credentials: async () => ({ impKey: 'key', impSecret: 'secret', pgApiKey }),
        sharedToken: sharedTokenIn(state),
        clock,
        random: () => chance.number(),
      }),
      orders: ordersIn(orders, layout),
      reversals: reversalsIn(reversals),
      refunds: refundsIn(reversals),
      notifications: notificationsIn(reversals),
      checkpoints: checkpointsIn(state),
      unknownPayments: unknownPaymentsBy(clock),
      clock,
      count: () => undefined,
      policy,
      // A few payments are several pages, so that what happens between pages happens often.
      pageSizes: [4, 2, 1],
      config: {
        resultTargets: { web: 'https://shop.example/result' },
        shopName: '',
        resultPage: {},
        webhookSenders: 'any',
        orderPrefix: '',
      },
    };
    const overwritten = layout.isShops ? { layout, overwritten: overwrittenItemsIn(orders, layout) } : undefined;
    return { instance, rooms, bus: this.#bus(instance), shopTable: overwritten };
  }

  async #toIamport(instance: Instance, request: HttpRequest): Promise<HttpAnswer> {
    const { time, network, iamport, observer, slowness } = this.#parts;
    // What it throws ends the schedule, and is no matter of the code under test.
    time.begin(async () => observer.sending(instance, request));
    const answer = await network.call(instance, {
      what: () => `iamport ${request.method} ${routeOf(request.path)}`,
      effect: () => iamport.answer(request, instance),
      takes: [30 * slowness, 400 * slowness],
      timeoutMs: request.timeoutMs,
      lost: () => new IamportUnavailable('No answer'),
      isDown: iamport.isDown,
    });
    observer.heard(instance, answer);
    if (answer.isTooLarge) throw new IamportTooLarge('Iamport answered with more than 8 MB');
    return answer;
  }

  #port(name: TableName, instance: Instance): Table {
    const { network, tables, chance, weather, written, observer } = this.#parts;
    const table = tables[name];
    // Two tries of 0.9 s each, as the rooms have it.
    const asked = <Answer>(operation: string, effect: () => Answer, conditions?: object) =>
      network.call(instance, {
        what: () => `${name}.${operation}${conditions ? ` ${Object.keys(conditions)}` : ''}`,
        effect,
        takes: [2, 20],
        timeoutMs: 1_800,
        lost: () => new StoreUnavailable('No answer'),
        resends: conditions !== undefined,
        isOfState: name === 'state',
      });
    return {
      read: (key) =>
        asked('read', () => {
          observer.looked(name, key, instance);
          return table.read(key);
        }),
      write: async (write) => {
        const result = await asked(
          'write',
          () => {
            observer.looked(name, write.key, instance);
            if (table.refuses(write)) return 'refused';
            const result = table.write(write);
            if (result.written) written(name, instance);
            return result;
          },
          write.conditions,
        );
        // A ValidationException.
        if (result === 'refused') throw new StoreRefused('Item size to update has exceeded the maximum allowed size');
        return result;
      },
      // Nobody is asked for nothing.
      readMany: async (keys) =>
        keys.length === 0
          ? []
          : asked('readMany', () => {
              for (const key of keys) observer.looked(name, key, instance);
              return keys.map((key) => table.read(key)).filter((item) => item !== undefined);
            }),
      madeAt: () => asked('madeAt', () => table.madeAt),
      byOrder: (merchantUid) => asked('byOrder', () => table.byOrder(merchantUid)),
      postpone: (key, from, to) =>
        asked('postpone', () => {
          observer.looked(name, key, instance);
          const result = table.postpone(key, from, to);
          if (result.written) written(name, instance);
          return result;
        }),
      due: (shards, now, most) =>
        asked('due', () => {
          const behind = weather.strikes('index lags') ? chance.whole(1, 5) : 0;
          return table.due(shards, now, most, Math.max(0, table.changes.length - behind));
        }),
    };
  }

  #bus(instance: Instance): Bus {
    const { network, weather, chance, take } = this.#parts;
    return {
      put: (entries) =>
        network.call(instance, {
          what: () => 'bus.put',
          effect: () => {
            const takesSome = entries.length > 0 && weather.strikes('bus takes some');
            return entries.map(({ detailType, detail }) => {
              if (takesSome && chance.is(0.5)) return false;
              take(detailType, detail);
              return true;
            });
          },
          takes: [5, 60],
          timeoutMs: 5_000,
          lost: () => new BusUnavailable('No answer'),
        }),
    };
  }
}

export interface Open {
  readonly instance: Instance;
  readonly rooms: Rooms;
  readonly bus: Bus;
  readonly shopTable: { readonly layout: Layout; readonly overwritten: OverwrittenItems } | undefined;
}

/** The route without the ids in it. */
function routeOf(path: string): string {
  const [, resource = '', first = '', second] = (path.split('?')[0] ?? '').split('/');
  if (second !== undefined || ['cancel', 'prepare', 'getToken'].includes(first)) return `/${resource}/${first}`;
  return `/${resource}`;
}
