/** `npm start`, loaded by start.ts: synthesizes the stack, runs all of it locally and prints every URL. Ctrl-C ends it. */

import { randomBytes } from 'node:crypto';
import { webhookUrlProblem } from '../functions/adapters/webhooks/address.ts';
import { keyOf, secretPrefix } from '../functions/adapters/webhooks/signature.ts';
import type { Language } from '../functions/shared/language.ts';
import { cdkContext } from '../infra/context.ts';
import { HTTP_FUNCTION_ENTRIES } from '../infra/function-table.ts';
import { localAssembly } from './assembly.ts';
import { localShopKey } from './aws/secrets.ts';
import type { WebhookReceiver } from './aws/webhooks.ts';
import { localPort, terminalLanguage } from './environment.ts';
import { type LocalSystem, startLocal } from './system.ts';

const language = terminalLanguage(process.env);

const texts = {
  starting: { ko: '데이터베이스와 함수를 시작합니다 …', en: 'Starting the database and the functions …' },
  synthesizing: {
    ko: '스택을 합성합니다. 바뀐 것이 없으면 다음부터 생략합니다 …',
    en: 'Synthesizing the stack, which the next start skips if nothing has changed …',
  },
  iamport: { ko: '가짜 아임포트: 입금, 취소, 웹훅', en: 'the fake Iamport: deposits, cancels, webhooks' },
  mistyped: { ko: '주소를 잘못 입력했을 때', en: 'for mistyped addresses' },
  withKey: { ko: '키 필요', en: 'with a key' },
  live: { ko: '결제 처리 과정을 실시간으로', en: 'each payment as it is processed' },
  everyEvent: { ko: '모든 이벤트를 서명해 보냄', en: 'every event, signed' },
  sendsEvents: { ko: '모든 이벤트를 이 주소로 보냄', en: 'sends every event there' },
  asked: { ko: '승인 전에 서명한 확인 요청을 보냄', en: 'asked before an approval, signed' },
  reconciles: { ko: '5분마다 자동으로 실행', en: 'also runs every five minutes' },
} as const satisfies Record<string, Record<Language, string>>;
const text = (name: keyof typeof texts): string => texts[name][language];

/** The last line. Scripts wait for `ready`. */
const readyLine = (url: string): string =>
  language === 'ko'
    ? `ready: ${url}/ 에서 결제해 보세요. Ctrl-C를 누르면 모두 종료됩니다.`
    : `ready: open ${url}/ and buy something. Ctrl-C ends everything.`;

async function main(): Promise<void> {
  const { IAMPORT_API_URL, IMP_KEY, IMP_SECRET, DYNAMODB } = process.env;
  const port = Number(localPort(process.env));
  if (!Number.isInteger(port) || port < 0 || port > 65_534)
    throw new Error(`PORT must be a port number, and is "${process.env.PORT}".`);
  if (IAMPORT_API_URL && !(IMP_KEY && IMP_SECRET)) {
    throw new Error('IAMPORT_API_URL needs the keys for that server: set IMP_KEY and IMP_SECRET.');
  }
  const webhooks = receiverIn('SHOP_WEBHOOK', 'http://localhost:8080/webhooks');
  const confirm = receiverIn('SHOP_CONFIRM', 'http://localhost:8080/confirm');
  console.log(text('starting'));
  const assembly = localAssembly(contextWith(cdkContext(), webhooks, confirm), () => console.log(text('synthesizing')));
  // `startLocal` awaits the assembly later and reports its error. Until then a rejection must not count as unhandled.
  assembly.catch(() => undefined);
  const starting = startLocal({
    assembly,
    port,
    iamportApiUrl: IAMPORT_API_URL,
    dynamodb: DYNAMODB,
    webhooks,
    confirm,
    ...(IMP_KEY && IMP_SECRET && { keys: { impKey: IMP_KEY, impSecret: IMP_SECRET } }),
  });
  const signal = firstSignal();
  // A signal during the start waits for the start to finish, so that no started process stays behind.
  void signal.then(() => starting.then((system) => system.close())).finally(() => process.exit(0));
  const system = await Promise.race([starting, signal]);
  if (system) console.log(welcome(system, webhooks, confirm));
}

/**
 * Reads the URL of the shop's server and the secret that signs requests to it: `<prefix>_URL`, `<prefix>_SECRET`.
 * @throws Error that names the variable and the rule
 */
function receiverIn(prefix: 'SHOP_WEBHOOK' | 'SHOP_CONFIRM', example: string): WebhookReceiver | undefined {
  const { [`${prefix}_URL`]: url, [`${prefix}_SECRET`]: configured } = process.env;
  if (!url) return undefined;
  const problem = webhookUrlProblem(url, true);
  if (problem) throw new Error(`${prefix}_URL ${problem}, or be on this machine: ${example}`);
  const secret = configured ?? secretPrefix + randomBytes(32).toString('base64');
  try {
    keyOf(secret);
  } catch (cause) {
    throw new Error(`${prefix}_SECRET: ${(cause as Error).message}`, { cause });
  }
  return { url, secret };
}

/**
 * The configuration with URLs that the local system replaces, or with none, and without a domain. The URLs and the domain of the
 * configuration are those of the shop's real servers.
 */
function contextWith(
  context: Record<string, unknown>,
  receiver: WebhookReceiver | undefined,
  confirming: WebhookReceiver | undefined,
) {
  const url = 'https://shop.invalid/';
  const { confirm: configured, ...iamport } = Object(context.iamport);
  const confirm = confirming && { ...Object(configured), url };
  const webhooks = receiver ? [{ url }] : [];
  return { ...context, iamport: { ...iamport, webhooks, domain: undefined, ...(confirm && { confirm }) } };
}

/** The signals after the first are not fatal: a terminal and npm both pass on the same Ctrl-C. */
const firstSignal = () =>
  new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => resolve());
  });

/** The keys of the routes for mistyped addresses, such as `GET /payments`. */
const fallbackRoutes: readonly string[] = HTTP_FUNCTION_ENTRIES.flatMap(([, { fallbackRoutes: routes = [] }]) =>
  routes.map(({ method, path }) => `${method} ${path}`),
);

/** @param key of a route, such as `GET /orders/{merchant_uid}`: only the server of the shop may call the routes of orders */
function noteOf(key: string): keyof typeof texts | undefined {
  if (/^\w+ \/orders\//.test(key)) return 'withKey';
  return fallbackRoutes.includes(key) ? 'mistyped' : undefined;
}

function welcome(
  { url, iamport, database, tables, gateway }: LocalSystem,
  webhooks: WebhookReceiver | undefined,
  confirm: WebhookReceiver | undefined,
): string {
  const line = (name: string, value: string, note?: keyof typeof texts) =>
    `  ${name.padEnd(10)} ${value}${note ? `  (${text(note)})` : ''}`;
  return [
    '',
    line('shop', `${url}/`),
    iamport ? line('Iamport', `${iamport.url}/`, 'iamport') : line('Iamport', process.env.IAMPORT_API_URL ?? ''),
    line('live', `${url}/live.html`, 'live'),
    ...gateway.routes.map(({ key }) => {
      const [method = '', path = ''] = key.split(' ');
      return line(method, `${url}${path}`, noteOf(key));
    }),
    line('events', `${url}/__local/events`),
    ...(webhooks
      ? [line('webhooks', webhooks.url, 'everyEvent'), line('secret', webhooks.secret)]
      : [line('webhooks', 'SHOP_WEBHOOK_URL=http://localhost:8080/webhooks npm start', 'sendsEvents')]),
    ...(confirm ? [line('confirm', confirm.url, 'asked'), line('secret', confirm.secret)] : []),
    line('reconcile', `curl -X POST ${url}/__local/reconcile`, 'reconciles'),
    line('key', `curl -H "authorization: Bearer ${localShopKey}" ${url}/orders/<merchant_uid>`),
    line('database', `${database.engine}, ${database.endpoint}`),
    line('tables', tables.join(', ')),
    '',
    readyLine(url),
  ].join('\n');
}

await main().catch(async (error: NodeJS.ErrnoException & { readonly port?: number }) => {
  console.error(error.code === 'EADDRINUSE' ? await taken(error.port) : error.message);
  // Exits without waiting for the synthesis, which may still run.
  process.exit(1);
});

async function taken(port = 0): Promise<string> {
  const configured = Number(localPort(process.env));
  const isNext = port !== configured;
  const running = await systemAt(port);
  const command = `PORT=${configured + 100} npm start`;
  const other = { ko: `다른 포트로 실행하세요: ${command}`, en: `Choose another: ${command}` }[language];
  if (running) {
    const { url, pid, isStarting } = running;
    const named = `${port}${isNext ? ' (PORT + 1)' : ''}`;
    const uses = url.endsWith(`:${configured}`)
      ? { ko: '', en: '' }
      : { ko: ` 포트 ${named}도 씁니다.`, en: ` and uses port ${named}` };
    const already = isStarting
      ? {
          ko: `npm start가 ${url}/ 에서 아직 시작하는 중입니다(프로세스 ${pid}).${uses.ko} 기다리거나`,
          en: `npm start is still starting at ${url}/ (process ${pid})${uses.en}. Wait for it.`,
        }
      : {
          ko: `npm start가 이미 ${url}/ 에서 실행 중입니다(프로세스 ${pid}).${uses.ko}`,
          en: `npm start already runs at ${url}/ (process ${pid})${uses.en}.`,
        };
    return `${already[language]} ${other}`;
  }
  const inUse = {
    ko: `${isNext ? '가짜 아임포트가 쓸 ' : ''}포트 ${port}${isNext ? '(PORT + 1)' : ''}을 다른 프로그램이 쓰고 있습니다.`,
    en: `Something else listens on port ${port}${isNext ? ', where the fake Iamport would be (PORT + 1)' : ''}.`,
  };
  return `${inUse[language]} ${other}`;
}

interface RunningSystem {
  /** Of its shop. */
  readonly url: string;
  readonly pid: number;
  readonly isStarting: boolean;
}

/** @returns the local system whose shop or fake Iamport listens on the port */
async function systemAt(port: number): Promise<RunningSystem | undefined> {
  const own = `http://127.0.0.1:${port}`;
  // The state of the fake Iamport has the URL of its shop. A shop returns 404 here.
  const { shopUrl: url = own } = await jsonAt<{ shopUrl?: string }>(`${own}/__control/state`);
  const { pid, isStarting = false } = await jsonAt<RunningSystem>(`${url}/__local/deployment`);
  return pid === undefined ? undefined : { url, pid, isStarting };
}

/** @returns the response; an empty object from a program that is not a local system, such as one that sends no JSON */
async function jsonAt<Value extends object>(url: string): Promise<Partial<Value>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    return Object(await response.json());
  } catch {
    return {};
  }
}
