/** `npm run simulate`: runs many scenarios, or prints one of them. */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runMany } from './many.ts';
import { runScenario } from './scenario.ts';
import { type Scope, type WorldName, worldNames } from './worlds/choice.ts';

const usage = `npm run simulate -- [options]
  --seeds 1000000 [--from S]       runs so many scenarios (20,000), prints the coverage, and exits 1 on a violation
  --seed N --trace                 prints every event of one scenario
  --pending                        enters the pending worlds, and enforces the pending invariants
  --worlds 'slow pg,two shops'     puts exactly these worlds into every scenario
  --failures 1000                  stops after so many failures (5), and counts them by invariant
  --until-first                    stops at the first failure
  --workers 2                      runs so many at a time (one per core)`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '20000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'until-first': { type: 'boolean', default: false },
    failures: { type: 'string', default: '5' },
    pending: { type: 'boolean', default: false },
    worlds: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});

/** @throws Error that names the option */
function whole(name: 'seeds' | 'from' | 'seed' | 'workers' | 'failures'): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} must be a whole number, not ${values[name]}`);
}

const scope: Scope = {
  pending: values.pending,
  ...(values.worlds !== undefined && { only: values.worlds.split(',').filter(isWorld) }),
};

/** @throws Error that lists the known worlds */
function isWorld(name: string): name is WorldName {
  if (worldNames.some((known) => known === name)) return true;
  throw new Error(`Unknown world "${name}" in --worlds. Known: ${worldNames.join(', ')}`);
}

if (values.help) console.log(usage);
else if (values.seed === undefined) {
  const [seeds, from, workers] = [whole('seeds'), whole('from'), whole('workers')];
  console.log(`${seeds} scenarios from seed ${from}, ${workers} at a time`);
  const report = await runMany({
    seeds,
    from,
    workers,
    maxFailures: values['until-first'] ? 1 : whole('failures'),
    scope,
    progress: (line) => console.log(line),
  });
  console.log(report.text);
  process.exitCode = report.isGreen ? 0 : 1;
} else {
  const seed = whole('seed');
  const line = values.trace ? (text: string) => process.stdout.write(`${text}\n`) : undefined;
  console.info = () => undefined;
  console.error = () => undefined;
  const { violation, maxWrites } = await runScenario(seed, undefined, scope, line);
  if (violation) console.log(`SIM FAIL seed=${seed} invariant=${violation.invariant} ${violation.message}`);
  else console.log(`seed ${seed}: no violation; at most ${maxWrites} writes to an order`);
  process.exitCode = violation ? 1 : 0;
}
