/**
 * `npm run simulate`: runs many schedules, or one of them for a person to read.
 *
 *   npm run simulate -- --seeds 1000000 [--from S]     prints what was reached, and exits 1 on a violation
 *   npm run simulate -- --seed N --trace               tells everything that happens in one schedule
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runMany } from './many.ts';
import { runSchedule } from './schedule.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'until-first': { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});

/** @throws Error that names the option */
function whole(name: 'seeds' | 'from' | 'seed' | 'workers'): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} must be a whole number, and is ${values[name]}`);
}

if (values.seed === undefined) {
  const [seeds, from, workers] = [whole('seeds'), whole('from'), whole('workers')];
  console.log(`${seeds} schedules from seed ${from}, ${workers} at a time`);
  const report = await runMany({
    seeds,
    from,
    workers,
    mostFailures: values['until-first'] ? 1 : 5,
    progress: (line) => console.log(line),
  });
  console.log(report.text);
  process.exitCode = report.isGreen ? 0 : 1;
} else {
  const seed = whole('seed');
  const line = values.trace ? (text: string) => process.stdout.write(`${text}\n`) : undefined;
  console.info = () => undefined;
  console.error = () => undefined;
  const { violation, mostWrites } = await runSchedule(seed, undefined, line);
  if (violation) console.log(`SIM FAIL seed=${seed} invariant=${violation.invariant} ${violation.message}`);
  else console.log(`seed ${seed}: nothing wrong; at most ${mostWrites} writes to an order`);
  process.exitCode = violation ? 1 : 0;
}
