/**
 * `restore`: copies the items of a table that was restored to a point in time, or of the retained table of a deleted stack, into the
 * table of the deployment. Each item is one conditional write, so the command can run while the deployment works, and run again.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type CopyResult,
  type CopyRules,
  copyItem,
  copyRules,
  describeSource,
  pagesOf,
} from '../functions/adapters/dynamodb/restore.ts';
import { type Item, type Table, table } from '../functions/adapters/dynamodb/table.ts';
import { ownTable, shopTable } from '../functions/adapters/dynamodb/table-mapping.ts';
import { StoreRefused, StoreUnexpected } from '../functions/application/faults.ts';
import { inPool } from '../functions/application/pool.ts';
import { farFuture } from '../functions/payment/due.ts';
import { isOrderNumber } from '../functions/payment/order.ts';
import { isUnmatched, recheckPlanned } from '../functions/payment/reversal.ts';
import { unixSeconds } from '../functions/shared/clock.ts';
import type { Call, Command } from './command.ts';
import { exit, Misuse, OperatorError } from './terminal.ts';

/** The tables of a deployment, by the names of --to. */
const targets = ['orders', 'reversals', 'state'] as const;
type Target = (typeof targets)[number];

/** How many items had each result. Unreadable items have a name and a reason. */
export interface CopyReport {
  readonly counts: Record<CopyResult, number>;
  readonly missing: string[];
  readonly unreadable: { readonly item: string; readonly reason: string }[];
  /** The key of the last item of the last complete page. */
  last?: string;
}

export const restore: Command = async (call) => {
  const { options, deployment, messageFor, progress } = call;
  const { from, after } = options;
  if (!from)
    throw new Misuse({
      ko: '--from이 없습니다. 복원한 테이블의 이름을 지정하세요',
      en: '--from is missing. Set the name of the table to copy from',
    });
  const client = new DynamoDBClient({});
  const { config } = deployment;
  const mapping = config.shopColumns ? shopTable(config.shopColumns) : ownTable;
  const rules = copyRules(mapping, String(deployment.deps.clock.now()));
  const source = await sourceNamed(client, from);
  const to = targetOf(source.key, rules, options.to, from);
  const name = config.tables[to];
  if ((await describeSource(client, name))?.arn === source.arn)
    throw new Misuse({
      ko: `${from}은 이 배포가 쓰고 있는 테이블입니다. 복원한 다른 테이블을 지정하세요`,
      en: `${from} is the table of the deployment itself. Set the name of a restored table`,
    });
  const isDryRun = options['dry-run'];
  const meaning = `${messageFor(isDryRun ? 'wouldCopy' : 'willCopy')}: ${from} → ${name} (${to})`;
  if (isDryRun) progress(meaning);
  else if (!(await call.confirm(meaning))) return exit.notConfirmed;
  const report: CopyReport = {
    counts: { copied: 0, unchanged: 0, skipped: 0, missing: 0 },
    missing: [],
    unreadable: [],
    ...(after !== undefined && { last: after }),
  };
  const live = table(client, name, mapping.prefix);
  await copyPages(pagesOf(client, from, source.key, after), {
    live: isDryRun ? withoutWrites(live) : live,
    rules: rules[to],
    report,
    progress: progressEvery(progressMs, progress, messageFor),
  });
  const rechecked = to === 'orders' && !isDryRun ? await recheckUnmatched(call) : 0;
  print(call, { to, from, name, rechecked }, report);
  return report.unreadable.length + report.missing.length > 0 ? exit.found : exit.done;
};

async function sourceNamed(client: DynamoDBClient, name: string) {
  const source = await describeSource(client, name);
  if (source?.isReadable) return source;
  if (source)
    throw new OperatorError({
      ko: `테이블 ${name}은 아직 복원 중입니다. 끝난 뒤 다시 실행하세요: aws dynamodb wait table-exists --table-name ${name}`,
      en: `The table ${name} is still being restored. Run this again after: aws dynamodb wait table-exists --table-name ${name}`,
    });
  throw new OperatorError({
    ko: `테이블 ${name}이 없습니다. 이름, 리전, AWS 자격 증명을 확인하세요`,
    en: `The table ${name} does not exist. Check its name, the region and your AWS credentials`,
  });
}

/** The table of the deployment with the same key as the source. */
function targetOf(key: string, rules: Record<Target, CopyRules>, wanted: string | undefined, from: string): Target {
  const possible = targets.filter((target) => rules[target].key === key);
  const [found, other] = wanted === undefined ? possible : possible.filter((target) => target === wanted);
  if (found !== undefined && other === undefined) return found;
  const keys = targets.map((target) => `${target}: ${rules[target].key}`).join(', ');
  throw new Misuse({
    ko: `${from}의 키는 ${key}입니다. 배포의 테이블과 키가 같아야 하고(${keys}), --to는 그중 하나여야 합니다`,
    en: `The key of ${from} is ${key}. It must be the key of a table of the deployment (${keys}), and --to must name that table`,
  });
}

/** A table on which every write succeeds and changes nothing. */
const withoutWrites = (live: Table): Table => ({ ...live, write: async () => ({ written: true }) });

/** Writes of one page at a time. */
const concurrency = 8;

/** The table, the rules and the report of a copy. */
export interface CopyRun {
  readonly live: Table;
  readonly rules: CopyRules;
  /** Filled page by page. */
  readonly report: CopyReport;
  /** Called after each page. */
  readonly progress: (report: CopyReport) => void;
}

/**
 * Copies page after page. An item that cannot be read or written is reported, and does not stop the others.
 * @throws OperatorError when DynamoDB returns no response, with the option that continues the copy
 */
export async function copyPages(pages: AsyncIterable<readonly Item[]>, run: CopyRun): Promise<void> {
  const { rules, report } = run;
  const idOf = (item: Item) => item[rules.key]?.S ?? '';
  try {
    for await (const page of pages) {
      await copyPage(page, run, idOf);
      const last = page.at(-1);
      if (last) report.last = idOf(last);
      run.progress(report);
    }
  } catch (cause) {
    const { last } = report;
    const option = last === undefined ? '' : ` --after ${JSON.stringify(last)}`;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError(
      {
        ko: `복사가 중단되었습니다: ${why}. 같은 명령을 다시 실행하면 이어서 복사합니다${option && `. 끝난 부분을 건너뛰려면${option}`}`,
        en: `The copy stopped: ${why}. Run the same command again${option && `; to continue behind the finished part add${option}`}`,
      },
      { cause },
    );
  }
}

async function copyPage(page: readonly Item[], run: CopyRun, idOf: (item: Item) => string): Promise<void> {
  const { live, rules, report } = run;
  const found = await live.readMany(page.map((item) => ({ [rules.key]: { S: idOf(item) } })));
  const liveOf = new Map(found.map((item) => [idOf(item), item]));
  await inPool(concurrency, page, async (item) => {
    const id = idOf(item);
    try {
      const result = await copyItem(live, rules, item, liveOf.get(id));
      report.counts[result] += 1;
      if (result === 'missing') report.missing.push(id);
    } catch (error) {
      if (!(error instanceof StoreUnexpected || error instanceof StoreRefused)) throw error;
      report.unreadable.push({ item: id, reason: error.message });
    }
  });
}

/**
 * Without the orders, the reconciler records their payments as unmatched. A registration asks for another check of such a payment, and so does
 * the copied order.
 * @returns the number of payments that are checked again
 */
async function recheckUnmatched({ deployment: { deps } }: Call): Promise<number> {
  // In its first hour an unmatched payment waits for a check.
  const classes = ['unmatched', 'check'] as const;
  const open = (
    await Promise.all(classes.map((of) => deps.reversals.due(of, farFuture, Number.POSITIVE_INFINITY)))
  ).flat();
  const now = unixSeconds(deps.clock);
  let count = 0;
  await inPool(concurrency, open, async ({ id }) => {
    try {
      const reversal = await deps.reversals.read(id);
      if (!reversal || !isUnmatched(reversal) || !isOrderNumber(reversal.merchantUid)) return;
      if (!(await deps.orders.read(reversal.merchantUid))) return;
      await deps.reversals.move(reversal, recheckPlanned(reversal, now, now));
      count += 1;
    } catch (error) {
      // The copy has reported an unreadable order, and attention lists the reversal.
      if (!(error instanceof StoreUnexpected)) throw error;
    }
  });
  return count;
}

const progressMs = 5_000;

/** Reports the number of items every few seconds, and the option that continues the copy from there. */
function progressEvery(ms: number, progress: Call['progress'], messageFor: Call['messageFor']): CopyRun['progress'] {
  let reportedAt = performance.now();
  return ({ counts, unreadable, last }) => {
    if (performance.now() - reportedAt < ms) return;
    reportedAt = performance.now();
    const items = Object.values(counts).reduce((sum, of) => sum + of, unreadable.length);
    progress(`… ${items} ${messageFor('itemsSoFar')} --after ${JSON.stringify(last)}`);
  };
}

function print(
  { messageFor, print: write, options }: Call,
  names: { readonly to: Target; readonly from: string; readonly name: string; readonly rechecked: number },
  { counts, missing, unreadable }: CopyReport,
): void {
  const isDryRun = options['dry-run'];
  const lines = [
    `${names.to}: ${names.from} → ${names.name}${isDryRun ? ' (--dry-run)' : ''}`,
    `  ${messageFor('copiedItems')}: ${counts.copied}`,
    `  ${messageFor('unchangedItems')}: ${counts.unchanged}`,
    `  ${messageFor('skippedItems')}: ${counts.skipped}`,
    ...(missing.length > 0 ? [`  ${messageFor('missingItems')}: ${missing.length}`] : []),
    ...missing.map((item) => `    ${item}`),
    `  ${messageFor('unreadableItems')}: ${unreadable.length}`,
    ...unreadable.map(({ item, reason }) => `    ${item}: ${reason}`),
    ...(names.rechecked > 0 ? [`  ${messageFor('rechecked')}: ${names.rechecked}`] : []),
  ];
  const { missing: _named, ...numbers } = counts;
  write(lines.map((line) => `${line}\n`).join(''), { ...names, dryRun: isDryRun, ...numbers, missing, unreadable });
}
