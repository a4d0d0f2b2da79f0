import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { HostProcess, HostSystem } from './system.js';

const EXITING = 0x4;

/** Linux, by /proc and /sys. */
export const linux: HostSystem = {
  processes: () =>
    pids()
      .map((pid) => processOf(pid))
      .filter((process) => process !== null),
  process: processOf,
  argumentsOf: (pid) => read(`/proc/${pid}/cmdline`)?.split('\0').join(' ').trim() ?? null,
  terminalOf: (pid) => link(`/proc/${pid}/fd/0`) ?? '',
  environmentOf: (pid) => read(`/proc/${pid}/environ`) ?? '',
  peakSize: (pid) => sizeOf(pid, /VmHWM:\s+(\d+)/),
  residentSize: (pid) => sizeOf(pid, /VmRSS:\s+(\d+)/),
  descriptorsOf: (pid) => names(`/proc/${pid}/fd`).length,
  ownDescriptors,
  processesBelow,
  mounts: () => (read('/proc/self/mountinfo') ?? '').split('\n'),
  mountSmall,
  mountReadOnly,
  interfaces: () => names('/sys/class/net'),
  routesTo,
  networks,
  inOwnSession: 'setsid',
  printMode: 'stat -c %a',
  printOwner: 'stat -c %u',
};

function sizeOf(pid: number, field: RegExp): number {
  return Number(field.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) * 1024;
}

function mountSmall(path: string, { kilobytes, files }: { kilobytes?: number; files?: number }) {
  const limits = [kilobytes && `size=${kilobytes}k`, files && `nr_inodes=${files}`, 'mode=755'];
  execFileSync('mount', ['-t', 'tmpfs', '-o', limits.filter(Boolean).join(','), 'tmpfs', path]);
  return () => void execFileSync('umount', [path]);
}

function mountReadOnly(path: string): () => void {
  execFileSync('mount', ['--bind', path, path]);
  execFileSync('mount', ['-o', 'remount,bind,ro', path]);
  return () => void execFileSync('umount', [path]);
}

function pids(): number[] {
  return names('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function processOf(pid: number): HostProcess | null {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const state = fields[0] ?? '?';
  return {
    pid,
    parent: Number(fields[1]),
    command: text.slice(text.indexOf('(') + 1, end),
    state,
    ended: state === 'Z' || (Number(fields[6]) & EXITING) !== 0,
    start: fields[19] ?? '',
  };
}

function ownDescriptors(): string[] {
  return names('/proc/self/fd')
    .map((name) => link(`/proc/self/fd/${name}`))
    .filter((text) => text !== null && text !== `/proc/${process.pid}/fd`)
    .map(String);
}

// By their mounts, which are not the host's.
function processesBelow(directory: string): HostProcess[] {
  const own = read('/proc/self/mountinfo');
  return linux.processes().filter((process) => {
    if (process.ended) return false;
    const mounts = read(`/proc/${process.pid}/mountinfo`);
    return mounts !== null && mounts !== own && mounts.includes(directory);
  });
}

function routesTo(address: string): string[] {
  const table = address.includes(':') ? '/proc/net/ipv6_route' : '/proc/net/fib_trie';
  const text = address.includes(':') ? hexOf(address) : `${address}\n`;
  return (read(table) ?? '').split(/^/m).filter((line) => line.includes(text));
}

function networks(): Set<string> {
  const links = pids().map((pid) => link(`/proc/${pid}/ns/net`));
  return new Set(links.filter((text) => text !== null));
}

function hexOf(address: string): string {
  const [head = '', tail = ''] = address.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail.split(':').filter(Boolean);
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join('');
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function link(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function names(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
