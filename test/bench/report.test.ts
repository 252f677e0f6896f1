import { expect, test } from 'vitest';
import type { Measured, WarmCalls } from '../../bench/measured.ts';
import { decisionTable, goals, sizesTable } from '../../bench/report.ts';

const calls = (responseMs: number, cpuMs: number): WarmCalls => ({
  responsesMs: [responseMs, responseMs, responseMs],
  upstreamMs: [44, 44, 44],
  cpuMs: [cpuMs],
});

/** A contestant whose cold start and warm calls take the same time at every size. Milliseconds. */
const contestant = (name: string, coldMs: number, warmMs: number, sizes = [1769, 512]): Measured => ({
  contestant: {
    ...{ name, description: '', codeDirectory: '', handler: '', environment: {}, bytes: 1024, sharedToken: false },
  },
  cold: new Map(
    sizes.map((size) => [size, [{ initMs: coldMs - 50, firstResponseMs: 50, cpuMs: 90, peakMemoryMb: 66 }]]),
  ),
  warm: new Map(sizes.map((size) => [size, { early: calls(warmMs + 5, 8), late: calls(warmMs, 6) }])),
  coldCalls: [{ to: 'iamport', operation: 'GET /payments', begin: 0, end: 40 }],
  warmCalls: [],
});

const report = {
  measured: [contestant('hand-written', 200, 47), contestant('express', 800, 100), contestant('this project', 180, 50)],
  sizes: [1769, 512],
  limitedBy: 'a test',
};

test('compares cold starts and warm calls at the size that deploys', () => {
  expect(decisionTable(report, 'en').at(0)).toMatch(/^\| contestant, 512 MB \|/);
  expect(decisionTable(report, 'en').at(-1)).toBe(
    '| this project | 180 ± 0 | 1 / 0 | 55.0 / 55.0 | 50.0 / 50.0 | 8.0 / 6.0 | 66 |',
  );
});

test('shows the cold starts and the later warm calls of each size', () => {
  const [head, , ...rows] = sizesTable(report, 'en');
  expect(head).toBe('| contestant | code KB | full CPU | 512 MB |');
  expect(rows.at(0)).toBe('| hand-written | 1 | 200 / 47.0 | 200 / 47.0 |');
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
