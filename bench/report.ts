/**
 * Formats the results of the bench as tables for docs/performance.md (English and Korean) and as a chart, and compares them with
 * the goals.
 */

import { cpus, totalmem } from 'node:os';
import type { Language } from '../functions/shared/language.ts';
import { fullCpuMb } from './cpu.ts';
import type { Measured } from './measured.ts';
import type { Call } from './upstreams.ts';

export interface Report {
  readonly measured: readonly Measured[];
  readonly sizes: readonly number[];
  readonly limitedBy: string | undefined;
}

const ours = 'this project';
const reference = 'hand-written';

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const median = (values: readonly number[]) => quantile(values, 0.5);
const whole = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(0));
const tenths = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(1));

/** Milliseconds of init and first response together, of every cold start. */
const totals = ({ cold }: Measured, memoryMb: number): number[] =>
  (cold.get(memoryMb) ?? []).map(({ initMs, firstResponseMs }) => initMs + firstResponseMs);

const memoryOf = ({ cold }: Measured): number =>
  median((cold.get(fullCpuMb) ?? []).flatMap(({ peakMemoryMb }) => peakMemoryMb ?? []));

const units = (calls: readonly Call[]): string => {
  const sum = (of: (call: Call) => number) => calls.reduce((total, call) => total + of(call), 0);
  return `${sum(({ readUnits }) => readUnits)} r, ${sum(({ writeUnits }) => writeUnits)} w`;
};

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
    init: 'init',
    first: 'first answer',
    full: `cold total, full CPU`,
    warm: 'warm p50 / p99',
    over: 'over the upstreams, p50 / p99',
    cpu: 'CPU a call',
    memory: 'MB at the first answer',
    calls: 'calls cold / warm',
    units: 'DynamoDB units cold; warm',
    goal: 'goal',
    measured: 'measured',
    met: 'met',
    yes: 'yes',
    no: 'no',
  },
  ko: {
    who: '대상',
    code: '코드 KB',
    init: '초기화',
    first: '첫 응답',
    full: '콜드 합계, 전체 CPU',
    warm: '웜 p50 / p99',
    over: '업스트림 시간 초과분, p50 / p99',
    cpu: '호출당 CPU',
    memory: '첫 응답 시점 MB',
    calls: '호출 수 콜드 / 웜',
    units: 'DynamoDB 단위 콜드; 웜',
    goal: '목표',
    measured: '측정',
    met: '달성',
    yes: '예',
    no: '아니요',
  },
} as const;

/** Medians in milliseconds; the cold totals with ± half of their interquartile range. */
export function coldTable({ measured, sizes }: Report, language: Language): string[] {
  const head = heads[language];
  // A run of the stack's own functions has no hand-written one.
  const base = measured.find(({ contestant }) => contestant.name === reference) ?? measured[0];
  const smaller = sizes.filter((size) => size !== fullCpuMb);
  const lines = ruled([
    head.who,
    head.code,
    head.init,
    head.first,
    head.full,
    ...smaller.map((size) => `${size} MB`),
    `× ${base?.contestant.name ?? ''}`,
  ]);
  for (const one of measured) {
    const full = one.cold.get(fullCpuMb) ?? [];
    const ratios = base ? sizes.map((size) => (median(totals(one, size)) / median(totals(base, size))).toFixed(2)) : [];
    lines.push(
      row([
        one.contestant.name,
        whole(one.contestant.bytes / 1024),
        whole(median(full.map(({ initMs }) => initMs))),
        whole(median(full.map(({ firstResponseMs }) => firstResponseMs))),
        ...[fullCpuMb, ...smaller].map((size) => spread(totals(one, size))),
        ratios.join(', '),
      ]),
    );
  }
  return lines;
}

export function warmTable({ measured }: Report, language: Language): string[] {
  const head = heads[language];
  const lines = ruled([head.who, head.warm, head.over, head.cpu, head.memory, head.calls, head.units]);
  for (const one of measured) {
    const answers = one.warm?.responsesMs ?? [];
    const over = answers.map((ms, index) => ms - (one.warm?.upstreamMs[index] ?? 0));
    const warmCalls = one.warm?.calls ?? [];
    lines.push(
      row([
        one.contestant.name,
        `${tenths(median(answers))} / ${tenths(quantile(answers, 0.99))}`,
        `${tenths(median(over))} / ${tenths(quantile(over, 0.99))}`,
        tenths(one.warm?.cpuMsPerCall),
        whole(memoryOf(one)),
        `${one.coldCalls.length} / ${warmCalls.length}`,
        `${units(one.coldCalls)}; ${units(warmCalls)}`,
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

/** The goals of this project, with the measured values. */
export function goals({ measured }: Report): Goal[] {
  const find = (name: string) => measured.find(({ contestant }) => contestant.name === name);
  const [us, hand, express] = [find(ours), find(reference), find('express')];
  if (!us || !hand || !express) return [];
  const cold = (one: Measured, size: number) => median(totals(one, size));
  const ratioTo = (other: Measured, size: number) => cold(us, size) / cold(other, size);
  const warm = us.warm;
  const cpu = (warm?.cpuMsPerCall ?? Number.NaN) / (express.warm?.cpuMsPerCall ?? Number.NaN);
  const writes = (calls: readonly Call[]) => calls.filter(({ writeUnits }) => writeUnits > 0).length;
  const iamportCalls = (calls: readonly Call[]) => calls.filter(({ to }) => to === 'iamport').length;
  const size = (mb: number) => ({ en: `cold total at ${mb} MB`, ko: `${mb} MB 콜드 합계` });
  const goal = (en: string, ko: string, value: number, max: number): Goal => ({
    name: { en, ko },
    measured: value,
    max,
  });
  return [
    goal(`${size(512).en} / ${reference}`, `${size(512).ko} / ${reference}`, ratioTo(hand, 512), 0.9),
    goal(`${size(512).en} / express`, `${size(512).ko} / express`, ratioTo(express, 512), 0.28),
    goal(`cold total at full CPU / ${reference}`, `전체 CPU 콜드 합계 / ${reference}`, ratioTo(hand, fullCpuMb), 1.05),
    goal('cold total at full CPU / express', '전체 CPU 콜드 합계 / express', ratioTo(express, fullCpuMb), 0.48),
    goal(`${size(128).en} / express`, `${size(128).ko} / express`, ratioTo(express, 128), 0.11),
    goal('cold total at 256 MB / at 1769 MB', '256 MB 콜드 합계 / 1769 MB', cold(us, 256) / cold(us, fullCpuMb), 1),
    goal(
      'warm p50 / upstream time',
      '웜 p50 / 업스트림 시간',
      median(warm?.responsesMs ?? []) / median(warm?.upstreamMs ?? []),
      1.12,
    ),
    goal('CPU a call / express', '호출당 CPU / express', cpu, 0.42),
    goal('memory / express', '메모리 / express', memoryOf(us) / memoryOf(express), 0.62),
    goal('calls to Iamport, cold', 'Iamport 호출, 콜드', iamportCalls(us.coldCalls), 1),
    goal('calls to Iamport, warm', 'Iamport 호출, 웜', iamportCalls(warm?.calls ?? []), 1),
    goal('writes, cold', '쓰기, 콜드', writes(us.coldCalls), 1),
    goal('writes, warm', '쓰기, 웜', writes(warm?.calls ?? []), 1),
  ];
}

export function goalTable(report: Report, language: Language): string[] {
  const head = heads[language];
  const lines = ruled([head.goal, '≤', head.measured, head.met]);
  for (const { name, measured, max } of goals(report)) {
    const exact = Number.isInteger(measured) && Number.isInteger(max);
    const cells = exact ? [String(max), String(measured)] : [max.toFixed(2), measured.toFixed(2)];
    lines.push(row([name[language], ...cells, Number(measured.toFixed(2)) <= max ? head.yes : head.no]));
  }
  return lines;
}

/** A line with the machine, the date and the numbers of calls. @param day ISO, without the time */
export function circumstances({ limitedBy, measured }: Report, language: Language, day: string): string {
  const [{ model = '?' } = {}] = cpus();
  const machine = `${model.trim()}, ${cpus().length} CPUs, ${whole(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node.js ${process.versions.node}`;
  const rounds = measured[0]
    ? [...measured[0].cold].map(([size, starts]) => `${starts.length} × ${size} MB`).join(', ')
    : '';
  if (language === 'ko') {
    return `${day}, ${machine}. 콜드 스타트 ${rounds}, 웜 호출 ${measured[0]?.warm?.responsesMs.length ?? 0}회. CPU 제한: ${limitedBy ?? '불가, 전체 CPU만 측정'}. 단위는 밀리초, 중앙값(± 가운데 절반 폭의 반).`;
  }
  return `${day}, ${machine}. Cold starts ${rounds}; ${measured[0]?.warm?.responsesMs.length ?? 0} warm calls. CPU limited by: ${limitedBy ?? 'nothing here, so only the full CPU was measured'}. Milliseconds, medians (± half of the width of the middle half).`;
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
