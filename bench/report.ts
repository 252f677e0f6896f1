/**
 * Formats the results of the bench as tables for docs/performance.md (English and Korean) and as a chart, and compares them with the
 * goals. Times are in milliseconds.
 */

import { cpus } from 'node:os';
import type { Language } from '../functions/shared/language.ts';
import { HTTP_MEMORY_MB } from '../infra/function-table.ts';
import { fullCpuMb } from './cpu.ts';
import { earlyCalls, lateCalls, type Measured, type WarmCalls } from './measured.ts';

export interface Report {
  readonly measured: readonly Measured[];
  readonly sizes: readonly number[];
  readonly limitedBy: string | undefined;
}

const ours = 'this project';
const reference = 'hand-written';
/** The memory of an HTTP function in the template, in MB. */
const shippedMb = HTTP_MEMORY_MB;

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const median = (values: readonly number[]) => quantile(values, 0.5);
const whole = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(0));
const tenths = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(1));

/** Milliseconds of init and first response together, of every cold start. */
const totals = ({ cold }: Measured, memoryMb: number): number[] =>
  (cold.get(memoryMb) ?? []).map(({ initMs, firstResponseMs }) => initMs + firstResponseMs);

const coldMs = (one: Measured, memoryMb: number): number => median(totals(one, memoryMb));
const memoryOf = ({ cold }: Measured, memoryMb: number): number =>
  median((cold.get(memoryMb) ?? []).flatMap(({ peakMemoryMb }) => peakMemoryMb ?? []));

const noCalls: WarmCalls = { responsesMs: [], upstreamMs: [], cpuMs: [] };
const early = ({ warm }: Measured, memoryMb: number): WarmCalls => warm.get(memoryMb)?.early ?? noCalls;
const late = ({ warm }: Measured, memoryMb: number): WarmCalls => warm.get(memoryMb)?.late ?? noCalls;
/** Of each call, the time beyond that of its upstream calls. */
const overMs = ({ responsesMs, upstreamMs }: WarmCalls): number[] =>
  responsesMs.map((ms, index) => ms - (upstreamMs[index] ?? 0));

/** Half of the interquartile range, in percent of the median. */
const spreadPercent = (values: readonly number[]): number =>
  (50 * (quantile(values, 0.75) - quantile(values, 0.25))) / median(values);

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const ruled = (cells: readonly string[]) => [row(cells), row(cells.map((_, index) => (index === 0 ? '---' : '--:')))];

const heads = {
  en: {
    times: 'cold start / warm call, ms',
    full: 'full CPU',
    early: `calls ${earlyCalls.first} to ${earlyCalls.last}`,
    cpu: 'CPU ms a call, early / later',
    memory: 'MB',
    goal: 'goal',
    measured: 'measured',
  },
  ko: {
    times: '콜드 스타트 / 웜 호출, ms',
    full: '전체 CPU',
    early: `${earlyCalls.first}~${earlyCalls.last}번째 호출`,
    cpu: '호출당 CPU ms, 초기 / 이후',
    memory: 'MB',
    goal: '목표',
    measured: '측정',
  },
} as const;

const nameOf = (memoryMb: number, language: Language) =>
  memoryMb === fullCpuMb ? heads[language].full : `${memoryMb} MB`;
const ratio = (one: Measured, other: Measured, memoryMb: number) => coldMs(one, memoryMb) / coldMs(other, memoryMb);
const named = ({ measured }: Pick<Report, 'measured'>, name: string) =>
  measured.find(({ contestant }) => contestant.name === name);

/** The size that is described in more detail: the one that ships, if it was measured. */
const detailedMb = (sizes: readonly number[]): number =>
  sizes.includes(shippedMb) ? shippedMb : (sizes[0] ?? fullCpuMb);

/** Medians of the cold starts and of the later warm calls at every size, and what an instance uses at the size that ships. */
export function decisionTable({ measured, sizes }: Report, language: Language): string[] {
  const head = heads[language];
  const size = detailedMb(sizes);
  const names = sizes.map((one) => nameOf(one, language));
  const lines = ruled([head.times, ...names, head.early, head.cpu, head.memory]);
  for (const one of measured) {
    const cpuMs = [early(one, size), late(one, size)].map((calls) => tenths(median(calls.cpuMs)));
    lines.push(
      row([
        one.contestant.name,
        ...sizes.map((at) => `${whole(coldMs(one, at))} / ${tenths(median(late(one, at).responsesMs))}`),
        tenths(median(early(one, size).responsesMs)),
        cpuMs.join(' / '),
        whole(memoryOf(one, size)),
      ]),
    );
  }
  return lines;
}

export interface Goal {
  readonly name: Readonly<Record<Language, string>>;
  readonly measured: number;
  readonly max: number;
}

/** The goals of this project, with the measured values. Only the goals of measured sizes. */
export function goals(report: Report): Goal[] {
  const [us, hand, express] = [named(report, ours), named(report, reference), named(report, 'express')];
  if (!us || !hand || !express) return [];
  const goal = (en: string, ko: string, value: number, max: number): Goal => ({
    name: { en, ko },
    measured: value,
    max,
  });
  const cold = (size: number, other: Measured, max: number): Goal[] => {
    const { name } = other.contestant;
    const [en, ko] = [nameOf(size, 'en'), nameOf(size, 'ko')];
    return report.sizes.includes(size)
      ? [goal(`cold start, ${en} / ${name}`, `콜드 스타트, ${ko} / ${name}`, ratio(us, other, size), max)]
      : [];
  };
  const over = (size: number, max: number): Goal[] =>
    report.sizes.includes(size)
      ? [
          goal(
            `warm, ${size} MB, ms beyond the upstreams`,
            `웜, ${size} MB, 업스트림 초과 ms`,
            median(overMs(late(us, size))),
            max,
          ),
        ]
      : [];
  const cpuMs = median(late(us, fullCpuMb).cpuMs);
  return [
    ...cold(512, hand, 0.9),
    ...cold(512, express, 0.28),
    ...cold(256, hand, 0.8),
    ...cold(256, express, 0.2),
    ...cold(fullCpuMb, hand, 1.15),
    ...over(shippedMb, 6),
    ...(Number.isNaN(cpuMs) ? [] : [goal('CPU ms a warm call, full CPU', '웜 호출당 CPU ms, 전체 CPU', cpuMs, 5)]),
  ];
}

export function goalTable(report: Report, language: Language): string[] {
  const head = heads[language];
  const lines = ruled([head.goal, '≤', head.measured]);
  for (const { name, measured, max } of goals(report)) {
    lines.push(row([name[language], max.toFixed(2), measured.toFixed(2)]));
  }
  return lines;
}

/** A line with the machine, the date, the numbers of calls and the noise. @param day ISO, without the time */
export function circumstances({ limitedBy, measured, sizes }: Report, language: Language, day: string): string {
  const [{ model = '?' } = {}] = cpus();
  const machine = `${model.trim()}, ${cpus().length} CPUs, ${process.platform} ${process.arch}, Node.js ${process.versions.node}`;
  const all = (of: (one: Measured, size: number) => number) =>
    measured.flatMap((one) => sizes.map((size) => of(one, size)));
  const range = (values: readonly number[]) =>
    [...new Set([Math.min(...values), Math.max(...values)].map(whole))].join(language === 'ko' ? ' ~ ' : ' to ');
  const cold = range(all((one, size) => totals(one, size).length));
  const warm = range(all((one, size) => late(one, size).responsesMs.length));
  const spreads = range(all((one, size) => spreadPercent(totals(one, size))));
  const size = nameOf(detailedMb(sizes), language);
  if (language === 'ko') {
    return `${day}, ${machine}. CPU 제한: ${limitedBy ?? '불가, 전체 CPU만 측정'}. 콜드 스타트 ${cold}회(사분위 범위의 반은 중앙값의 ${spreads} %)와 ${lateCalls.first}번째부터의 웜 호출 ${warm}회의 중앙값. 뒤의 세 열은 ${size}의 값.`;
  }
  return `${day}, ${machine}. CPU limited by: ${limitedBy ?? 'nothing here, so only the full CPU was measured'}. Medians of ${cold} cold starts (half of the interquartile range: ${spreads} %), and of ${warm} warm calls from call ${lateCalls.first} on. The last three columns are of ${size}.`;
}

const bar = { height: 14, gap: 4, width: 520, left: 190 };
const colours = ['#2563eb', '#60a5fa', '#f59e0b', '#dc2626'];

/** A bar chart of the cold totals of all contestants and sizes, as SVG. */
export function drawing({ measured, sizes }: Report): string {
  const longest = Math.max(...measured.flatMap((one) => sizes.map((size) => median(totals(one, size)))));
  const group = sizes.length * bar.height + bar.gap * 3;
  const height = measured.length * group + 50;
  const parts = measured.flatMap((one, index) => {
    const top = 34 + index * group;
    const label = `<text x="${bar.left - 8}" y="${top + (sizes.length * bar.height) / 2 + 4}" text-anchor="end">${one.contestant.name}</text>`;
    const bars = sizes.map((size, place) => {
      const ms = median(totals(one, size));
      const y = top + place * bar.height;
      const width = (ms / longest) * bar.width;
      return `<rect x="${bar.left}" y="${y}" width="${width.toFixed(1)}" height="${bar.height - 2}" fill="${colours[place]}"/><text x="${(bar.left + width + 4).toFixed(1)}" y="${y + 10}" font-size="10">${whole(ms)}</text>`;
    });
    return [label, ...bars];
  });
  const legend = sizes.map(
    (size, place) =>
      `<rect x="${bar.left + place * 110}" y="10" width="10" height="10" fill="${colours[place]}"/><text x="${bar.left + place * 110 + 14}" y="19">${size} MB</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${bar.left + bar.width + 60} ${height}" font-family="sans-serif" font-size="12" fill="#111827">`,
    '<title>Cold start: milliseconds from the start of the process to the first answer</title>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    ...legend,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
