import { expect, test } from 'vitest';
import type { Measured, WarmCalls } from '../../bench/measured.ts';
import { circumstances, decisionTable, goals } from '../../bench/report.ts';

const calls = (responseMs: number, cpuMs: number): WarmCalls => ({
  responsesMs: [responseMs, responseMs, responseMs],
  upstreamMs: [44, 44, 44],
  cpuMs: [cpuMs],
});

/** A contestant whose cold start and warm calls take the same time at every size. Milliseconds. */
const contestant = (name: string, coldMs: number, warmMs: number, sizes = [1769, 512]): Measured => ({
  contestant: {
    ...{ name, codeDirectory: '', handler: '', environment: {}, bytes: 1024, sharedToken: false },
  },
  cold: new Map(
    sizes.map((size) => [size, [{ initMs: coldMs - 50, firstResponseMs: 50, cpuMs: 90, peakMemoryMb: 66 }]]),
  ),
  warm: new Map(sizes.map((size) => [size, { early: calls(warmMs + 5, 8), late: calls(warmMs, 6) }])),
});

const report = {
  measured: [contestant('hand-written', 200, 47), contestant('express', 800, 100), contestant('this project', 180, 50)],
  sizes: [1769, 512],
  limitedBy: 'a test',
};

test('shows cold starts and later warm calls at each size, and the rest at the size that deploys', () => {
  const [head, , ...rows] = decisionTable(report, 'en');
  expect(head).toMatch(/^\| cold start \/ warm call, ms \| full CPU \| 512 MB \| calls 6 to 21 \|/);
  expect(rows.at(-1)).toBe('| this project | 180 / 50.0 | 180 / 50.0 | 55.0 | 8.0 / 6.0 | 66 |');
});

test('shows how many calls were measured at each size, and how much cold starts differ', () => {
  const cold = [100, 200, 300].map((initMs) => ({ initMs, firstResponseMs: 0, cpuMs: 90, peakMemoryMb: 66 }));
  const varying = { ...contestant('express', 200, 50, [512]), cold: new Map([[512, cold]]) };
  const measured = [varying, contestant('this project', 180, 50, [512])];
  expect(circumstances({ ...report, measured, sizes: [512] }, 'en', '2026-11-28')).toContain(
    'Medians of 1 to 3 cold starts (half of the interquartile range: 0 to 50 %), and of 3 warm calls from call 60 on. The last three columns are of 512 MB.',
  );
});

test('compares the goals with the ratios of cold starts and with the time beyond the upstreams', () => {
  const measured = new Map(goals(report).map((goal) => [goal.name.en, goal.measured]));
  expect(measured.get('cold start, 512 MB / hand-written')).toBeCloseTo(0.9);
  expect(measured.get('cold start, 512 MB / express')).toBeCloseTo(0.225);
  expect(measured.get('warm, 512 MB, ms beyond the upstreams')).toBe(6);
});

test('has only the goals of the measured sizes', () => {
  const names = goals(report).map(({ name }) => name.en);
  expect(names).toContain('cold start, 512 MB / hand-written');
  expect(names.filter((name) => name.includes('256 MB'))).toEqual([]);
});
