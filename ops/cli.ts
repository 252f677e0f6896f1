/**
 * `npm run ops -- <subcommand>`, and `npx iamport-serverless <subcommand>` in the package: the operator's command for a deployment or
 * the local system. This file parses the arguments and calls the subcommand, which has a file of its own.
 */

import { parseArgs } from 'node:util';
import type { Language } from '../functions/shared/language.ts';
import { DEFAULT_NAME } from '../infra/config.ts';
import { configurationSource } from '../infra/context.ts';
import { languageOf } from '../local/environment.ts';
import { native } from '../storefront/native.ts';
import { attention } from './attention.ts';
import { close, reconcile, refund, returned, settle } from './changes.ts';
import type { Command } from './command.ts';
import { connect } from './deployment.ts';
import { doctor } from './doctor.ts';
import { keys } from './keys.ts';
import { messagesIn } from './messages.ts';
import { redeliver } from './redeliver.ts';
import { republish } from './republish.ts';
import { restore } from './restore.ts';
import { exit, isConfirmed, Misuse, OperatorError, type Terminal } from './terminal.ts';
import { verify } from './verify.ts';
import { webhooks } from './webhooks.ts';
import { why } from './why.ts';

const commands: Readonly<
  Record<
    string,
    { readonly run: Command; readonly subject?: string; readonly withoutSubject?: true; readonly withTarget?: true }
  >
> = {
  why: { run: why, subject: 'merchant_uid' },
  attention: { run: attention },
  settle: { run: settle, subject: 'imp_uid' },
  refund: { run: refund, subject: 'merchant_uid' },
  returned: { run: returned, subject: 'imp_uid' },
  close: { run: close, subject: 'merchant_uid' },
  reconcile: { run: reconcile },
  republish: { run: republish, subject: 'merchant_uid', withoutSubject: true },
  redeliver: { run: redeliver, subject: 'merchant_uid', withoutSubject: true },
  restore: { run: restore },
  keys: { run: keys, subject: 'rotate or retire', withoutSubject: true },
  webhooks: { run: webhooks, subject: 'rotate or retire', withoutSubject: true, withTarget: true },
  doctor: { run: doctor },
  verify: { run: verify },
};

export const HELP: Readonly<Record<Language, string>> = {
  en: `iamport-serverless <subcommand> [options]

  why <merchant_uid>       prints an order: its payments, the decision for each, and what to do
  attention                lists unfinished reversals and refunds; those that need the operator come first
  settle <imp_uid>         settles a payment now, as a webhook would
  refund <merchant_uid>    refunds a payment: --reason TEXT [--amount N] [--tax-free N] [--vat-amount N]
                           [--account holder,bank code,number] [--key K]
  returned <imp_uid>       records that the operator has finished an item: a refund that Iamport cannot see, a virtual
                           account that could not be revoked, or a payment of another system
  close <merchant_uid>     closes an unpaid order permanently
  reconcile                runs the reconciler once
  republish <merchant_uid> publishes the events of an order again, with the same ids; also takes an <imp_uid>, or
                           --queue for the messages in the queue Unpublished
  redeliver <event id>     sends a webhook again; also takes a <merchant_uid> or <imp_uid> for all of its last events, or
                           --queue for the webhooks that could not be delivered
  restore --from TABLE     copies a table that was restored to a point in time, or of a deleted stack, into the deployment's
                           own: --dry-run only counts; --to orders, reversals or state; --after KEY continues a copy
  keys [rotate|retire]     prints the keys of the shop's server; rotate generates new keys, and the current ones stay
                           valid until retire
  webhooks [rotate|retire] prints the secrets that sign webhooks and confirmations; rotate generates a new one, and both
                           sign until retire. The URL or its host after them names one of several
  doctor                   checks the deployment, and prints the remedy for each failed check
  verify                   sends a request of every kind to the API and compares the responses; registers and closes one
                           order, moves no money
  native --scheme NAME     prints the declarations that an app with a payment page in a WebView needs

  --stack NAME    the stack of the deployment (default: name in iamport.json, or IamportPayments)
  --region NAME   the region of the stack (default: AWS_REGION, or the region of your AWS profile)
  --local         uses the local system of npm start (http://127.0.0.1:3000, or the port in PORT)
  --url URL       another address of the API, or of the local system
  --yes           skips the confirmation
  --json          prints JSON, for scripts
  --lang ko|en    the language of the output (default: LC_ALL or LANG)
  --help          prints this help

Exit code: 0 done, 1 fault, 2 invalid arguments, 3 refused, 4 not confirmed, 5 open items or failed checks.
`,
  ko: `iamport-serverless <명령> [옵션]

  why <merchant_uid>       주문의 결제 내역과 판정 결과, 할 일을 출력
  attention                끝나지 않은 자동 취소와 환불의 목록. 운영자가 처리할 건이 먼저 나옵니다
  settle <imp_uid>         웹훅이 온 것처럼 결제를 지금 처리
  refund <merchant_uid>    환불: --reason 사유 [--amount N] [--tax-free 면세 금액] [--vat-amount 부가세]
                           [--account 예금주,은행코드,계좌번호] [--key K]
  returned <imp_uid>       운영자가 처리를 마쳤음을 기록: 아임포트가 알 수 없는 환불(계좌 이체), 말소하지 못한 가상계좌,
                           다른 시스템의 결제
  close <merchant_uid>     결제되지 않은 주문을 영구히 종료
  reconcile                정산 대사 배치(reconciler)를 한 번 실행
  republish <merchant_uid> 주문의 이벤트를 같은 id로 다시 발행. <imp_uid>로도 되고, --queue는 Unpublished 큐의
                           메시지를 처리
  redeliver <이벤트 id>    웹훅을 다시 전송. <merchant_uid>나 <imp_uid>면 마지막 이벤트를 모두, --queue면 전달하지 못한
                           웹훅을 다시 전송
  restore --from TABLE     특정 시점으로 복원한 테이블이나 삭제한 스택의 테이블을 배포의 테이블로 복사. --dry-run은 세기만
                           하고, --to는 orders, reversals, state 중 하나, --after KEY는 이어서 복사
  keys [rotate|retire]     쇼핑몰 서버의 키를 출력. rotate는 새 키를 만들고, 지금 키는 retire할 때까지 유효
  webhooks [rotate|retire] 웹훅과 승인 전 확인을 서명하는 시크릿을 출력. rotate는 새 시크릿을 만들고, retire할
                           때까지 둘 다로 서명. URL이 여럿이면 그 뒤에 URL이나 호스트를 지정
  doctor                   배포 상태를 점검하고, 실패한 점검의 조치를 출력
  verify                   API에 모든 종류의 요청을 보내 응답을 확인. 주문을 하나 등록해 종료하며,
                           실제 결제나 환불은 일어나지 않음
  native --scheme NAME     WebView로 결제하는 앱에 필요한 선언을 출력

  --stack NAME    배포한 스택(기본값은 iamport.json의 name, 없으면 IamportPayments)
  --region NAME   스택의 리전(기본값 AWS_REGION 또는 AWS 프로필의 리전)
  --local         npm start로 실행한 로컬 시스템(http://127.0.0.1:3000, PORT가 있으면 그 포트)
  --url URL       API나 로컬 시스템의 다른 주소
  --yes           확인을 생략
  --json          스크립트용 JSON 출력
  --lang ko|en    출력 언어(기본값 LC_ALL 또는 LANG)
  --help          이 도움말

종료 코드: 0 완료, 1 장애, 2 잘못된 인자, 3 거절됨, 4 실행을 승인하지 않음, 5 처리할 건이나 실패한 점검 있음.
`,
};

const options = {
  stack: { type: 'string' },
  region: { type: 'string' },
  local: { type: 'boolean', default: false },
  url: { type: 'string' },
  yes: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  lang: { type: 'string' },
  help: { type: 'boolean', default: false },
  amount: { type: 'string' },
  'tax-free': { type: 'string' },
  'vat-amount': { type: 'string' },
  reason: { type: 'string' },
  account: { type: 'string' },
  key: { type: 'string' },
  queue: { type: 'boolean', default: false },
  from: { type: 'string' },
  to: { type: 'string' },
  after: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
} as const;

/** @returns the exit code; never throws */
export async function main(argv: readonly string[], terminal: Terminal = process): Promise<number> {
  try {
    if (argv[0] === 'native')
      return native(argv.slice(1), terminal.stdout, terminal.stderr, languageOf(argv, process.env));
    return await runCommand(argv, terminal);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const language = languageOf(argv, process.env);
    if (!(error instanceof OperatorError)) {
      const cause = error.cause instanceof Error ? `  ${error.cause.message}\n` : '';
      terminal.stderr.write(`${error.message}\n${cause}`);
      return exit.fault;
    }
    terminal.stderr.write(`${error.texts[language]}\n`);
    if (!(error instanceof Misuse)) return exit.fault;
    terminal.stderr.write(language === 'ko' ? '사용법: --help\n' : 'See --help.\n');
    return exit.misuse;
  }
}

async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parsed(argv);
  requireLanguage(values.lang);
  const language = languageOf(argv, process.env);
  const [name, subject = '', target = ''] = positionals;
  if (values.help || name === undefined) {
    terminal.stdout.write(HELP[language]);
    return values.help ? exit.done : exit.misuse;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new Misuse({ ko: `알 수 없는 명령: ${name}`, en: `Unknown subcommand: ${name}` });
  const [unexpected] = positionals.slice(1 + Number(command.subject !== undefined) + Number(command.withTarget ?? 0));
  if (unexpected !== undefined)
    throw new Misuse({
      ko: `${name}: 필요 없는 인자 ${unexpected}`,
      en: `${name} does not take the argument ${unexpected}`,
    });
  if (command.subject && subject === '' && !command.withoutSubject)
    throw new Misuse({
      ko: `${name} 뒤에 ${command.subject}를 쓰세요`,
      en: `${name} needs the argument ${command.subject}`,
    });
  const messageFor = messagesIn(language);
  const progress = (text: string) => void (values.json || terminal.stderr.write(`${text}\n`));
  const deployment = await connect({ ...values, ...(values.local ? { stack: '' } : stackOf(values)) });
  return command.run({
    subject,
    target,
    options: values,
    deployment,
    language,
    messageFor,
    progress,
    terminal,
    print: (text, value) => terminal.stdout.write(values.json ? `${JSON.stringify(value, null, 2)}\n` : text),
    async confirm(action) {
      // Also with --json and --yes: it has the key of a refund, which a repeat after a lost response needs.
      terminal.stderr.write(`${action}\n`);
      if (values.yes) return true;
      if (await isConfirmed(messageFor('confirm'), terminal)) return true;
      terminal.stderr.write(`${messageFor('notConfirmed')}\n`);
      return false;
    },
  });
}

/**
 * Without --stack, the deployment in the configuration of the current directory: of this repository, or of an app with the package.
 * With `domain.only` the address of API Gateway is off.
 */
function stackOf({ stack, url }: { readonly stack?: string | undefined; readonly url?: string | undefined }) {
  if (stack !== undefined) return { stack };
  const { name, domain } = Object(configurationSource(undefined, process.cwd()).iamport);
  const { name: host, only } = Object(domain);
  const configured = only === true && typeof host === 'string' ? `https://${host}` : undefined;
  return { stack: typeof name === 'string' ? name : DEFAULT_NAME, url: url ?? configured };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, option] = /'(-[^']*)'/.exec(message) ?? [];
    throw new Misuse(
      { ko: `${option ?? argv.join(' ')}: 없는 옵션이거나 값이 잘못되었습니다`, en: message },
      { cause: error },
    );
  }
}

function requireLanguage(lang: string | undefined): void {
  if (lang !== undefined && lang !== 'ko' && lang !== 'en')
    throw new Misuse({
      ko: `--lang은 ko나 en이어야 합니다: ${lang}`,
      en: `--lang must be ko or en, and is ${lang}`,
    });
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
