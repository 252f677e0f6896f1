/**
 * How much CPU a process gets, as Lambda gives it by memory size, through the kernel's control groups (version 2, or 1); and how
 * much it has used. Needs Linux and the right to make a control group.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One whole CPU. Source: "Configure Lambda function memory", AWS Lambda Developer Guide. */
export const fullCpuMb = 1_769;
/** How often a spent quota is given anew, in microseconds. */
const periodUs = 20_000;

const versions = [
  {
    root: '/sys/fs/cgroup',
    mark: 'cgroup.controllers',
    limit: 'cpu.max',
    words: (us: number) => `${us} ${periodUs}`,
    weight: 'cpu.weight',
    mostWeight: '10000',
  },
  {
    root: '/sys/fs/cgroup/cpu',
    mark: 'cpu.cfs_quota_us',
    limit: 'cpu.cfs_quota_us',
    words: String,
    weight: 'cpu.shares',
    mostWeight: '262144',
  },
] as const;

export interface CpuLimits {
  /** How it is done, for the report. */
  readonly by: string;
  /** From now on the process gets the CPU of this memory size. */
  apply(pid: number, memoryMb: number): void;
  close(): void;
}

/** @returns undefined where this machine does not let us limit anything */
export function cpuLimits(): CpuLimits | undefined {
  const version = versions.find(({ root, mark }) => existsSync(join(root, mark)));
  if (!version) return undefined;
  const { root, limit, words, weight, mostWeight } = version;
  const made = new Map<number, string>();
  const groupFor = (memoryMb: number): string => {
    const group = made.get(memoryMb) ?? join(root, `bench-${process.pid}-${memoryMb}`);
    if (made.has(memoryMb)) return group;
    mkdirSync(group);
    made.set(memoryMb, group);
    if (limit !== 'cpu.max') writeFileSync(join(group, 'cpu.cfs_period_us'), String(periodUs));
    writeFileSync(join(group, limit), words(Math.round((periodUs * memoryMb) / fullCpuMb)));
    // The limit is what holds a function back here, and not who else is busy on this machine.
    writeFileSync(join(group, weight), mostWeight);
    return group;
  };
  const close = () => {
    for (const group of made.values()) rmdirSync(group);
  };
  try {
    // Version 2 gives a group only the controllers that its parent hands down.
    if (limit === 'cpu.max') writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu');
    groupFor(fullCpuMb);
  } catch {
    close();
    return undefined;
  }
  return {
    by: `control groups (${limit}), ${periodUs / 1000} ms periods`,
    apply: (pid, memoryMb) => writeFileSync(join(groupFor(memoryMb), 'cgroup.procs'), String(pid)),
    close,
  };
}

/** CPU time of all threads of a process that runs, in milliseconds, where Linux tells it. */
export function cpuUsedMs(pid: number): number | undefined {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return undefined;
  const ran = readdirSync(tasks).map((task) =>
    Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0]),
  );
  return ran.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

/** The most memory that a process has held, in MB, where Linux tells it. */
export function peakMemoryMb(pid: number): number | undefined {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return undefined;
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8')) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}
