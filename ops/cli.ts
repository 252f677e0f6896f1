/**
 * `npm run ops -- <subcommand>`, and `npx iamport-serverless <subcommand>` in the package: the operator's command for a deployment or
 * the local system. This file parses the arguments and calls the subcommand, which has a file of its own.
 */

import { parseArgs } from 'node:util';
import { native } from '../storefront/native.ts';
import { attention } from './attention.ts';
import { close, reconcile, refund, returned, settle } from './changes.ts';
import type { Command } from './command.ts';
import { connect, NotFound } from './deployment.ts';
import { doctor } from './doctor.ts';
import { type Language, messagesIn } from './messages.ts';
import { redeliver } from './redeliver.ts';
import { republish } from './republish.ts';
import { exit, isConfirmed, Misuse, type Terminal } from './terminal.ts';
import { why } from './why.ts';

const commands: Readonly<
  Record<string, { readonly run: Command; readonly subject?: string; readonly withoutSubject?: true }>
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
  doctor: { run: doctor },
};

export const HELP: Readonly<Record<Language, string>> = {
  en: `iamport-serverless <subcommand> [options]

  why <merchant_uid>       the story of an order: its payments, what was decided and why, what is left to do
  attention                what is not over yet, what waits for a person first
  settle <imp_uid>         settles a payment now, as a notification would
  refund <merchant_uid>    gives money back: --reason TEXT [--amount N] [--account holder,bank code,number] [--key K]
  returned <imp_uid>       records that what waits for an operator is over: money given back where Iamport cannot see it,
                           an account that could not be revoked, money that is not yours
  close <merchant_uid>     closes an unpaid order for good
  reconcile                runs the reconciler once
  republish <merchant_uid> publishes the events of an order again, with the same ids; also <imp_uid>, or --queue for
                           what lies in the queue Unpublished
  redeliver <event id>     sends a webhook again; also <merchant_uid> or <imp_uid> for all of its last events, or --queue
                           for the webhooks that could not be delivered
  doctor                   is everything in order? what to do where it is not
  native --scheme NAME     what an app with a payment page in a WebView declares

  --stack NAME    the deployment's stack (IamportPayments), in your AWS credentials' account
  --region NAME   its region, unless AWS_REGION or your profile says so
  --local         the local system instead (http://127.0.0.1:3000)
  --url URL       another address of the API, or of the local system
  --yes           does not ask before money moves
  --json          for scripts
  --lang ko|en    unless LANG says so
  --help          this

Exit code: 0 done, 1 fault, 2 misuse, 3 refused, 4 not confirmed, 5 found something to do.
`,
  ko: `iamport-serverless <명령> [옵션]

  why <merchant_uid>       주문의 내력: 어떤 결제가 있었고, 무엇을 왜 판단했고, 무엇이 남았는지
  attention                아직 끝나지 않은 것. 사람을 기다리는 것이 먼저
  settle <imp_uid>         웹훅이 온 것처럼 결제를 지금 처리
  refund <merchant_uid>    환불: --reason 사유 [--amount N] [--account 예금주,은행코드,계좌번호] [--key K]
  returned <imp_uid>       운영자를 기다리는 일이 끝났음을 기록: 아임포트가 알 수 없는 방법(계좌 이체)으로 돌려준 돈,
                           말소하지 못한 가상계좌, 우리 것이 아닌 돈
  close <merchant_uid>     결제되지 않은 주문을 영구히 닫기
  reconcile                대사를 한 번 실행
  republish <merchant_uid> 주문의 이벤트를 같은 id로 다시 발행. <imp_uid>나, Unpublished 큐에 쌓인 것을 처리하는
                           --queue도 가능
  redeliver <이벤트 id>    웹훅을 다시 전송. <merchant_uid>나 <imp_uid>면 마지막 이벤트 전부, --queue면 전달하지 못한
                           웹훅을 다시 전송
  doctor                   모든 것이 정상인지, 아니면 무엇을 해야 하는지
  native --scheme NAME     WebView로 결제하는 앱이 선언해야 하는 것

  --stack NAME    배포한 스택(IamportPayments). AWS 자격 증명의 계정에서 찾습니다
  --region NAME   리전. AWS_REGION이나 프로필에 있으면 생략
  --local         로컬 시스템(http://127.0.0.1:3000)
  --url URL       API나 로컬 시스템의 다른 주소
  --yes           돈이 움직이기 전에 묻지 않음
  --json          스크립트용
  --lang ko|en    정하지 않으면 LANG을 따름
  --help          이 도움말

종료 코드: 0 완료, 1 장애, 2 잘못된 사용, 3 거절됨, 4 확인하지 않음, 5 할 일이 있음.
`,
};

const options = {
  stack: { type: 'string', default: 'IamportPayments' },
  region: { type: 'string' },
  local: { type: 'boolean', default: false },
  url: { type: 'string' },
  yes: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  lang: { type: 'string' },
  help: { type: 'boolean', default: false },
  amount: { type: 'string' },
  reason: { type: 'string' },
  account: { type: 'string' },
  key: { type: 'string' },
  queue: { type: 'boolean', default: false },
} as const;

/** @returns the exit code; never throws */
export async function main(argv: readonly string[], terminal: Terminal = process): Promise<number> {
  try {
    if (argv[0] === 'native') return native(argv.slice(1), terminal.stdout, terminal.stderr);
    return await runCommand(argv, terminal);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isMisuse = error instanceof Misuse;
    terminal.stderr.write(`${error.message}\n${isMisuse ? 'See --help.\n' : ''}`);
    if (!isMisuse && !(error instanceof NotFound) && error.cause instanceof Error)
      terminal.stderr.write(`  ${error.cause.message}\n`);
    return isMisuse ? exit.misuse : exit.fault;
  }
}

async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parsed(argv);
  const language = languageOf(values.lang);
  const [name, subject = '', ...more] = positionals;
  if (values.help || name === undefined) {
    terminal.stdout.write(HELP[language]);
    return values.help ? exit.done : exit.misuse;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new Misuse(`There is no subcommand ${name}`);
  if (command.subject ? subject === '' && !command.withoutSubject : subject !== '')
    throw new Misuse(`${name} takes ${command.subject ? `a ${command.subject}` : 'nothing'}`);
  if (more.length > 0) throw new Misuse(`${name} takes no ${more[0]}`);
  const messageFor = messagesIn(language);
  const progress = (text: string) => void (values.json || terminal.stderr.write(`${text}\n`));
  const deployment = await connect(values);
  return command.run({
    subject,
    options: values,
    deployment,
    language,
    messageFor,
    progress,
    terminal,
    print: (text, value) => terminal.stdout.write(values.json ? `${JSON.stringify(value, null, 2)}\n` : text),
    async confirm(action) {
      if (values.yes) return true;
      progress(action);
      if (await isConfirmed(messageFor('sure'), terminal)) return true;
      terminal.stderr.write(`${messageFor('notConfirmed')}\n`);
      return false;
    },
  });
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function languageOf(lang: string | undefined): Language {
  if (lang !== undefined && lang !== 'ko' && lang !== 'en') throw new Misuse(`--lang must be ko or en, and is ${lang}`);
  return lang ?? (/^ko/.test(process.env.LC_ALL ?? process.env.LANG ?? '') ? 'ko' : 'en');
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
