/**
 * Formats the results of the bench as tables for docs/performance.md (English and Korean) and as a chart, and compares them with the
 * goals. Times are in milliseconds.
 */

import { cpus, totalmem } from 'node:os';
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
const p50p99 = (values: readonly number[]) => `${tenths(median(values))} / ${tenths(quantile(values, 0.99))}`;

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

/** The median, ± half of the interquartile range. */
function spread(values: readonly number[]): string {
  const half = (quantile(values, 0.75) - quantile(values, 0.25)) / 2;
  return `${whole(median(values))} ± ${whole(half)}`;
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const ruled = (cells: readonly string[]) => [row(cells), row(cells.map((_, index) => (index === 0 ? '---' : '--:')))];

const heads = {
  en: {
    who: 'contestant',
    code: 'code KB',
    full: 'full CPU',
    cold: 'cold start',
    early: `calls ${earlyCalls.first} to ${earlyCalls.last}, p50 / p99`,
    late: `from call ${lateCalls.first} on, p50 / p99`,
    cpu: 'CPU ms a call, early / later',
    memory: 'MB',
    calls: 'calls, cold / warm',
    goal: 'goal',
    measured: 'measured',
    met: 'met',
    yes: 'yes',
    no: 'no',
  },
  ko: {
    who: '대상',
    code: '코드 KB',
    full: '전체 CPU',
    cold: '콜드 스타트',
    early: `${earlyCalls.first}~${earlyCalls.last}번째 호출, p50 / p99`,
    late: `${lateCalls.first}번째 호출부터, p50 / p99`,
    cpu: '호출당 CPU ms, 초기 / 이후',
    memory: 'MB',
    calls: '호출 수, 콜드 / 웜',
    goal: '목표',
    measured: '측정',
    met: '달성',
    yes: '예',
    no: '아니요',
  },
} as const;

const nameOf = (memoryMb: number, language: Language) =>
  memoryMb === fullCpuMb ? heads[language].full : `${memoryMb} MB`;
const ratio = (one: Measured, other: Measured, memoryMb: number) => coldMs(one, memoryMb) / coldMs(other, memoryMb);
const named = ({ measured }: Pick<Report, 'measured'>, name: string) =>
  measured.find(({ contestant }) => contestant.name === name);

/** The size that ships: cold and warm, and what an instance uses. Without control groups, the full CPU. */
export function decisionTable(report: Report, language: Language): string[] {
  const head = heads[language];
  const size = report.sizes.includes(shippedMb) ? shippedMb : (report.sizes[0] ?? fullCpuMb);
  const names = [head.cold, head.calls, head.early, head.late, head.cpu, head.memory];
  const lines = ruled([`${head.who}, ${nameOf(size, language)}`, ...names]);
  for (const one of report.measured) {
    lines.push(
      row([
        one.contestant.name,
        spread(totals(one, size)),
        `${one.coldCalls.length} / ${one.warmCalls.length}`,
        p50p99(early(one, size).responsesMs),
        p50p99(late(one, size).responsesMs),
        `${tenths(median(early(one, size).cpuMs))} / ${tenths(median(late(one, size).cpuMs))}`,
        whole(memoryOf(one, size)),
      ]),
    );
  }
  return lines;
}

/** Medians of the cold starts and of the later warm calls, at every size. */
export function sizesTable({ measured, sizes }: Report, language: Language): string[] {
  const head = heads[language];
  const lines = ruled([head.who, head.code, ...sizes.map((size) => nameOf(size, language))]);
  for (const one of measured) {
    const times = sizes.map((size) => `${whole(coldMs(one, size))} / ${tenths(median(late(one, size).responsesMs))}`);
    lines.push(row([one.contestant.name, whole(one.contestant.bytes / 1024), ...times]));
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
  const lines = ruled([head.goal, '≤', head.measured, head.met]);
  for (const { name, measured, max } of goals(report)) {
    const met = Number(measured.toFixed(2)) <= max ? head.yes : head.no;
    lines.push(row([name[language], max.toFixed(2), measured.toFixed(2), met]));
  }
  return lines;
}

/** A line with the machine, the date and the numbers of calls. @param day ISO, without the time */
export function circumstances({ limitedBy, measured }: Report, language: Language, day: string): string {
  const [{ model = '?' } = {}] = cpus();
  const machine = `${model.trim()}, ${cpus().length} CPUs, ${whole(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node.js ${process.versions.node}`;
  const [first] = measured;
  const sizes = [...(first?.cold.keys() ?? [])];
  const cold = sizes.map((size) => first?.cold.get(size)?.length ?? 0).join(', ');
  const warm = sizes.map((size) => first?.warm.get(size)?.late.responsesMs.length ?? 0).join(', ');
  const at = `${sizes.join(', ')} MB`;
  if (language === 'ko') {
    return `${day}, ${machine}. ${at}에서 콜드 스타트 ${cold}회, ${lateCalls.first}번째부터의 웜 호출 ${warm}회. CPU 제한: ${limitedBy ?? '불가, 전체 CPU만 측정'}. 단위는 밀리초, 중앙값(± 가운데 절반 폭의 반).`;
  }
  return `${day}, ${machine}. At ${at}: ${cold} cold starts and ${warm} warm calls from call ${lateCalls.first} on. CPU limited by: ${limitedBy ?? 'nothing here, so only the full CPU was measured'}. Milliseconds, medians (± half of the width of the middle half).`;
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
