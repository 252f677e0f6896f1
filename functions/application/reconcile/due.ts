/** Schedules the due items of a run in rounds. due-items.ts processes each item. */

import { isRefundId } from '../../payment/refund.ts';
import { postponed } from '../../payment/retry.ts';
import { unixSeconds } from '../../shared/clock.ts';
import { isItemFault, StoreRefused, StoreUnexpected } from '../faults.ts';
import type { Due } from '../ports/stores.ts';
import type { Dependencies } from '../ports.ts';
import { type DueItem, processDueOrder, processDueRefund, processDueReversal } from './due-items.ts';
import { createHealth, type Health } from './health.ts';
import { addFault, forEachItem, maxTimePerItemMs, type ReconcileReport } from './report.ts';

/**
 * How many items of each class a round processes. Rounds are short, so that money which becomes due does not wait for
 * the others.
 */
const perRound = { money: 200, revoke: 50, order: 100, check: 50 } as const;
type DueClass = keyof typeof perRound;
const classes = ['money', 'revoke', 'order', 'check'] as const satisfies readonly DueClass[];

/** An item that this version cannot parse is checked again after this. Seconds. */
const recheckUnreadableAfter = 3_600;

interface Task extends DueItem {
  readonly of: DueClass;
}

/** The items that a run has processed. The index `due` lags, so it may return them again. */
export type Processed = Set<string>;

/**
 * Processes all due items, round by round. Money comes first in each round, so that a refund which becomes due does not
 * wait for a backlog of orders.
 * @returns false when time ran out, Iamport stopped responding, or DynamoDB returned no list of a class
 */
export async function processDue(deps: Dependencies, processed: Processed, report: ReconcileReport): Promise<boolean> {
  const health = createHealth<Task>({ deps }, idOf);
  const unlisted = new Set<DueClass>();
  for (;;) {
    const tasks = (await listDue(deps, unlisted, report)).filter(({ due }) => !processed.has(nameOf(due)));
    if (tasks.length === 0) return unlisted.size === 0;
    const isComplete = await processRound(deps, tasks, processed, health, report);
    if (!isComplete) return false;
  }
}

const idOf = ({ due }: Task): string => due.id;
const nameOf = ({ id, dueAt }: Due): string => `${id} ${dueAt}`;

/**
 * The index of one class may be throttled or missing, such as one of the shop's own table. The other classes are listed
 * all the same.
 * @param unlisted receives the classes without a list, which are not listed again
 * @returns money first, then the other classes in turn
 */
async function listDue(deps: Dependencies, unlisted: Set<DueClass>, report: ReconcileReport): Promise<Task[]> {
  const now = unixSeconds(deps.clock);
  const list = async (of: DueClass): Promise<Task[]> => {
    const due =
      of === 'order' ? await deps.orders.due(now, perRound.order) : await deps.reversals.due(of, now, perRound[of]);
    return due.map((item) => ({ of, due: item }));
  };
  const listed = await Promise.all(
    classes.map(async (of) => {
      if (unlisted.has(of)) return [];
      return list(of).catch((error: unknown): Task[] => {
        if (!isItemFault(error)) throw error;
        addFault(report, `The due items of the class ${of}: ${error.message}`);
        unlisted.add(of);
        return [];
      });
    }),
  );
  const [money = [], ...others] = listed;
  const longest = Math.max(0, ...others.map(({ length }) => length));
  const inTurn = Array.from({ length: longest }, (_none, at) => others.flatMap((tasks) => tasks[at] ?? []));
  return [...money, ...inTurn.flat()];
}

async function processRound(
  deps: Dependencies,
  tasks: readonly Task[],
  processed: Processed,
  health: Health<Task>,
  report: ReconcileReport,
): Promise<boolean> {
  let isComplete = true;
  const processAll = (some: readonly Task[]) =>
    forEachItem(report, some, idOf, async (task) => {
      // The next run starts here.
      if (!isComplete || (await health.isOutage()) || deps.deadline.leftMs() < maxTimePerItemMs) {
        isComplete = false;
        return;
      }
      processed.add(nameOf(task.due));
      report.due += 1;
      try {
        await processItem(deps.within(maxTimePerItemMs), task, report);
        health.succeeded();
      } catch (error) {
        health.failed(task, error);
        throw error;
      }
    });
  const isMoney = ({ of }: Task) => of === 'money';
  const failed = [
    ...(await processAll(tasks.filter(isMoney))),
    ...(await processAll(tasks.filter((task) => !isMoney(task)))),
  ];
  await forEachItem(
    report,
    failed,
    ({ item }) => item.due.id,
    async ({ item, error }) => {
      // The item is not at fault, so it stays due.
      if (await health.isOfOutage(item, error)) return;
      await postpone(deps, item, error);
    },
  );
  return isComplete;
}

function processItem(deps: Dependencies, task: Task, report: ReconcileReport): Promise<void> {
  if (task.of === 'order') return processDueOrder(deps, task, report);
  return (isRefundId(task.due.id) ? processDueRefund : processDueReversal)(deps, task, report);
}

/** Plans the next check of a failed item. Otherwise it would be listed first in every run. */
function postpone(deps: Dependencies, { of, due, since = due.dueAt }: Task, error: Error): Promise<void> {
  const now = unixSeconds(deps.clock);
  const isUnreadable = error instanceof StoreUnexpected || error instanceof StoreRefused;
  const until = isUnreadable ? now + recheckUnreadableAfter : postponed(since, now);
  return (of === 'order' ? deps.orders : deps.reversals).postpone(due, until);
}

/** @returns how long the oldest due item is overdue, of the classes that can be listed; seconds */
export async function oldestDue(deps: Dependencies): Promise<number> {
  const now = unixSeconds(deps.clock);
  const none = (error: unknown): readonly Due[] => {
    // `listDue` has reported it.
    if (!isItemFault(error)) throw error;
    return [];
  };
  const oldest = await Promise.all([
    deps.orders.due(now, 1).catch(none),
    ...(['money', 'revoke', 'check'] as const).map((of) => deps.reversals.due(of, now, 1).catch(none)),
  ]);
  return now - Math.min(now, ...oldest.flat().map(({ dueAt }) => dueAt));
}
