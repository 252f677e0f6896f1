/**
 * Limits the CPU of a process like Lambda does by memory size, with the kernel's control groups (version 2, or 1), and reads its CPU
 * time and memory. Needs Linux and the right to create a control group.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One whole CPU. Source: "Configure Lambda function memory", AWS Lambda Developer Guide. */
export const fullCpuMb = 1_769;
/** The period after which the kernel renews a quota, in microseconds. */
const periodUs = 20_000;

const versions = [
  {
    root: '/sys/fs/cgroup',
    mark: 'cgroup.controllers',
    limit: 'cpu.max',
    format: (us: number) => `${us} ${periodUs}`,
    weight: 'cpu.weight',
    maxWeight: '10000',
  },
  {
    root: '/sys/fs/cgroup/cpu',
    mark: 'cpu.cfs_quota_us',
    limit: 'cpu.cfs_quota_us',
    format: String,
    weight: 'cpu.shares',
    maxWeight: '262144',
  },
] as const;

/** The control group of one process. */
export interface CpuGroup {
  /** Limits the process from now on to the CPU of this memory size. */
  limit(memoryMb: number): void;
  /** Removes the group. The process must have ended. */
  remove(): void;
}

export interface CpuLimits {
  /** The mechanism, for the report. */
  readonly by: string;
  /** Puts a process that has just started into a control group of its own, not limited yet. */
  groupOf(pid: number): CpuGroup;
}

/** @returns undefined if this machine does not allow limits */
export function cpuLimits(): CpuLimits | undefined {
  const version = versions.find(({ root, mark }) => existsSync(join(root, mark)));
  if (!version) return undefined;
  const { root, limit, format, weight, maxWeight } = version;
  const quota = (memoryMb: number) => format(Math.round((periodUs * memoryMb) / fullCpuMb));
  const created = (name: string): string => {
    const group = join(root, `bench-${process.pid}-${name}`);
    mkdirSync(group);
    if (limit !== 'cpu.max') writeFileSync(join(group, 'cpu.cfs_period_us'), String(periodUs));
    // With the highest weight, only the limit slows the function down, not other processes on this machine.
    writeFileSync(join(group, weight), maxWeight);
    return group;
  };
  try {
    // In version 2, a group has only the controllers that its parent enables for its children.
    if (limit === 'cpu.max') writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu');
    const group = created('probe');
    writeFileSync(join(group, limit), quota(fullCpuMb));
    rmdirSync(group);
  } catch {
    return undefined;
  }
  return {
    by: `control groups (${limit}), ${periodUs / 1000} ms periods`,
    groupOf(pid) {
      const group = created(String(pid));
      writeFileSync(join(group, 'cgroup.procs'), String(pid));
      return {
        limit: (memoryMb) => writeFileSync(join(group, limit), quota(memoryMb)),
        remove: () => rmdirSync(group),
      };
    },
  };
}

/** CPU time of all threads of a running process, in milliseconds; undefined without /proc. */
export function cpuUsedMs(pid: number): number | undefined {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return undefined;
  const ran = readdirSync(tasks).map((task) =>
    Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0]),
  );
  return ran.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

/** Peak memory of a process, in MB; undefined without /proc. */
export function peakMemoryMb(pid: number): number | undefined {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return undefined;
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8')) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}
