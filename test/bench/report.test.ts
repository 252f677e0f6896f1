import { expect, test } from 'vitest';
import type { Measured, WarmCalls } from '../../bench/measured.ts';
import { decisionTable, goals, warmTable } from '../../bench/report.ts';

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
  coldCalls: [],
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
    '| this project | 180 ± 0 | 0.90 | 0.23 | 55.0 / 55.0 | 50.0 / 50.0 | 6.0 | 8.0 / 6.0 | 66 |',
  );
});

test('shows the early and the later warm calls of each size', () => {
  const [head, , ...rows] = warmTable(report, 'en');
  expect(head).toBe('| contestant | full CPU, 6+ | full CPU, 60+ | 512 MB, 6+ | 512 MB, 60+ |');
  expect(rows.at(0)).toBe('| hand-written | 52.0 (8.0) | 47.0 (6.0) | 52.0 (8.0) | 47.0 (6.0) |');
});

test('has only the goals of the measured sizes', () => {
  const names = goals(report).map(({ name }) => name.en);
  expect(names).toContain('cold start, 512 MB / hand-written');
  expect(names.filter((name) => name.includes('256 MB'))).toEqual([]);
});
