/** `doctor`: checks whether the deployment can settle payments, and prints a remedy for each failed check. Changes nothing. */

import { randomUUID } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { iamportClient } from '../functions/adapters/iamport/client.ts';
import { createCredentials } from '../functions/adapters/iamport/credentials.ts';
import { undiciTransport } from '../functions/adapters/iamport/transport.ts';
import { deadlineIn } from '../functions/shared/clock.ts';
import { VERSION } from '../infra/version.ts';
import type { Call, Command } from './command.ts';
import { check, localized, type RunCheck } from './doctor-check.ts';
import { STACK_CHECKS } from './doctor-stack.ts';
import { exit } from './terminal.ts';

/** Iamport's times, and our deadlines of accounts and tokens, are in whole seconds. */
const maxSecondsOff = 60;
/** The reconciler runs every five minutes. */
const lateAfterSeconds = 1_500;

export const doctor: Command = async (call) => {
  const results = await Promise.all([...CHECKS, ...STACK_CHECKS].map((run) => run(call)));
  const checks = results.filter((result) => result !== undefined);
  const text = checks.map(
    ({ ok, isWarning, name, found, remedy }) =>
      `${isWarning ? '!' : ok ? '✓' : '✗'} ${name}: ${found}\n${(ok && !isWarning) || !remedy ? '' : `  → ${remedy}\n`}`,
  );
  call.print(text.join(''), { checks });
  return checks.every(({ ok }) => ok) ? exit.done : exit.found;
};

/**
 * Requests a token with the keys, and does not share it. The token that the instances share stays valid for a while after the keys
 * became wrong.
 */
function requestToken({ deployment: { config, deps } }: Call): Promise<void> {
  const client = iamportClient({
    transport: undiciTransport(config.iamportApiUrl, 1),
    credentials: createCredentials(() => new SecretsManagerClient({}), config.iamportSecretArn, deps.clock),
    sharedToken: {
      read: async () => ({}),
      claim: async () => ({ claimed: true }),
      write: async () => undefined,
    },
    clock: deps.clock,
    random: Math.random,
  });
  return client.prepareToken(deadlineIn(deps.clock, 10_000));
}

/** Payments of this period are compared with the orders. Seconds. */
const comparedSeconds = 3 * 86_400;
/** The newest payments of the page that are compared. */
const maxCompared = 100;

/** Iamport also accepts the keys of another account, and then all other checks pass. Only the orders show the mistake. */
async function paymentsOfOurs(call: Call) {
  const { iamport, orders, clock } = call.deployment.deps;
  const to = Math.floor(clock.now() / 1000);
  const query = { status: 'paid', from: to - comparedSeconds, to, page: 1, limit: 1_000 } as const;
  const { payments } = await iamport.listPayments(query, deadlineIn(clock, 10_000));
  const uids = [...new Set(payments.slice(-maxCompared).flatMap(({ merchantUid }) => merchantUid || []))];
  const known = await orders.readMany(uids);
  const ours = known.orders.length + known.unreadable.length;
  const found = localized(
    call,
    `최근 사흘간 결제된 주문번호 ${uids.length}개 중 ${ours}개가 등록된 주문입니다`,
    `${ours} of ${uids.length} order numbers paid in the last three days are registered orders`,
  );
  return { ok: true, found, isWarning: uids.length > 0 && ours === 0 };
}

const CHECKS: readonly RunCheck[] = [
  check(
    ['버전', 'version'],
    [
      '이 버전을 배포하거나, 배포한 버전의 명령을 쓰세요. 다른 버전의 명령은 주문을 다르게 판정할 수 있습니다',
      'Deploy this version, or use the command of the deployed version. A command of another version may decide differently',
    ],
    async (call) => {
      const { version = localized(call, '알 수 없음', 'unknown') } = call.deployment;
      const found = localized(
        call,
        `배포 ${version}, 이 명령 ${VERSION}`,
        `deployed ${version}, this command ${VERSION}`,
      );
      return { ok: true, found, isWarning: version !== VERSION };
    },
  ),
  check(
    ['아임포트 키', 'Iamport keys'],
    [
      '시크릿에 imp_key와 imp_secret을 넣으세요: docs/deploy.ko.md',
      'Put imp_key and imp_secret into the secret: docs/deploy.md',
    ],
    async (call) => {
      const { iamport, clock } = call.deployment.deps;
      await requestToken(call);
      // An id that no payment has: the check is whether Iamport accepts the call.
      const found = await iamport.payment('imp_doctor000000', deadlineIn(clock, 10_000));
      return { ok: found === undefined, found: localized(call, '유효합니다', 'accepted') };
    },
  ),
  check(
    ['아임포트 계정', 'Iamport account'],
    [
      '시크릿의 키가 이 쇼핑몰의 아임포트 계정에서 발급한 키인지 확인하세요. 다른 계정의 키면 이 쇼핑몰의 결제가 처리되지 않습니다. 여러 쇼핑몰이 한 계정을 쓰고 아직 판매가 없었다면 정상입니다',
      'Check that the keys in the secret belong to the Iamport account of this shop. With the keys of another account, no payment of this shop is settled. If several shops share the account and this one has no sales yet, ignore this warning',
    ],
    paymentsOfOurs,
  ),
  check(['시계', 'clock'], ['이 컴퓨터의 시각을 맞추세요', 'Set the clock of this machine'], async (call) => {
    const response = await fetch(call.deployment.config.iamportApiUrl, { redirect: 'manual' });
    await response.body?.cancel();
    const off = Math.round(Math.abs(Date.now() - Date.parse(response.headers.get('date') ?? '')) / 1000);
    const found = localized(call, `아임포트와 ${off}초 차이`, `differs from Iamport by ${off} s`);
    return { ok: off <= maxSecondsOff, found };
  }),
  check(
    ['테이블', 'tables'],
    [
      '이 명령의 AWS 자격 증명에 테이블 읽기 권한을 주세요: docs/operate.ko.md',
      'Allow the credentials of this command to read the tables: docs/operate.md',
    ],
    async (call) => {
      const { orders, reversals } = call.deployment.deps;
      await Promise.all([orders.read('doctor'), reversals.due('money', 0, 1)]);
      const { tables } = call.deployment.config;
      return { ok: true, found: `${tables.orders}, ${tables.reversals}` };
    },
  ),
  check(
    ['주문 경로', 'order routes'],
    [
      '이 명령의 자격 증명에 키 시크릿의 secretsmanager:GetSecretValue 권한을 주세요(shopAuth: "iam"이면 execute-api:Invoke)',
      'Allow secretsmanager:GetSecretValue on the secret with the keys to the credentials of this command (execute-api:Invoke with shopAuth: "iam")',
    ],
    async ({ deployment }) => {
      const { status } = await deployment.send('GET', `/orders/doctor-${randomUUID()}`.slice(0, 40));
      return { ok: status === 404, found: `GET /orders/… ${status}` };
    },
  ),
  check(
    ['웹훅', 'webhook'],
    [
      'API가 외부에 열려 있는지, 도메인이 이 API를 가리키는지 확인하세요',
      'Check that the API is reachable from the internet, and that its domain points to it',
    ],
    async ({ deployment: { apiUrl } }) => {
      const body = JSON.stringify({ imp_uid: 'imp_doctor000000', merchant_uid: 'doctor', status: 'paid' });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${apiUrl}/payments/webhook`, { method: 'POST', headers, body });
      const { status } = response;
      // With `webhookSenders: "iamport-only"`.
      const isRefused = status === 403 && /"sender_refused"/.test(await response.text());
      return { ok: status === 200 || isRefused, found: `POST /payments/webhook ${status}` };
    },
  ),
  check(
    ['대사', 'reconciler'],
    ['reconcile을 실행해 결과를 확인하세요: docs/runbook.ko.md', 'Run reconcile and check its report: docs/runbook.md'],
    async (call) => {
      const { checkpoints, clock } = call.deployment.deps;
      const last = (await checkpoints.read(['recent'])).checkpoint('recent')?.completedUntil;
      const behind = last === undefined ? undefined : Math.round(clock.now() / 1000 - last);
      const found =
        behind === undefined
          ? localized(call, '완료된 실행이 아직 없습니다', 'no run has completed yet')
          : localized(call, `${behind}초 전까지의 결제를 대사했습니다`, `payments reconciled up to ${behind} s ago`);
      return { ok: behind !== undefined && behind <= lateAfterSeconds, found };
    },
  ),
];
