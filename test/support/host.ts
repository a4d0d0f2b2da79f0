import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  modelDescriptors,
  modelInterfaces,
  modelProcess,
  modelProcesses,
  modelProcessesBelow,
} from './model/host.js';
import { modelKernel } from './model/world.js';

// What the tests look up about the machine by themselves, so as not to believe the package about itself.

/** One process of the host; a recycled pid is another one. */
export interface HostProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly state: string;
  /** It has ended, and only waits for others to notice: for its parent, or for those of what was below it. */
  readonly ended: boolean;
  readonly start: string;
}

const EXITING = 0x4;

/** The process of that pid, or null when there is none. A zombie is one. */
export function hostProcess(pid: number): HostProcess | null {
  const kernel = modelKernel();
  if (kernel !== null) return modelProcess(kernel, pid);
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

/** Every process of the host. */
export function hostProcesses(): HostProcess[] {
  const kernel = modelKernel();
  if (kernel !== null) return modelProcesses(kernel);
  return names('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => hostProcess(Number(name)))
    .filter((process) => process !== null);
}

/** Signals a process of the host, from outside of every jail. */
export function killOnHost(pid: number, signal: NodeJS.Signals): void {
  const kernel = modelKernel();
  if (kernel === null) process.kill(pid, signal);
  else kernel.host.kill(pid, kernel.layout.signals[signal] ?? 0);
}

/** The process that this program is. */
export function ownPid(): number {
  return modelKernel()?.host.pid ?? process.pid;
}

/** A process of the host that has nothing to do with any jail. */
export interface Neighbour {
  readonly pid: number;
  end(): void;
}

/** Starts one: sleep(1). */
export function startNeighbour(): Neighbour {
  const kernel = modelKernel();
  if (kernel === null) {
    const child = spawn('sleep', ['1000']);
    return { pid: child.pid ?? 0, end: () => void child.kill('SIGKILL') };
  }
  const process = kernel.boot('sleep');
  return { pid: process.pid, end: () => process.exit(0) };
}

/** The processes below one, in any depth, itself left out. */
export function descendants(pid: number): HostProcess[] {
  const all = hostProcesses();
  const kernel = modelKernel();
  // On the model nobody else has any, and those that have lost their parent go to init.
  if (kernel !== null && pid === process.pid) return all.filter((one) => one.pid > ownPid());
  const found = new Set([pid]);
  // Pids say nothing about the order, so until nothing is added.
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const process of all) if (found.has(process.parent)) found.add(process.pid);
  }
  return all.filter((process) => process.pid !== pid && found.has(process.pid));
}

/** Those of some processes that still run. When the dead are collected is for the host's init to say. */
export function stillThere(processes: readonly HostProcess[]): HostProcess[] {
  return processes.filter((process) => {
    const now = hostProcess(process.pid);
    return now !== null && now.start === process.start && !now.ended;
  });
}

/** The monitors that a process of the host started. */
export function monitorsOf(pid: number): HostProcess[] {
  const parent = pid === process.pid ? ownPid() : pid;
  return hostProcesses().filter((one) => one.parent === parent && one.command === 'jail-monitor');
}

/** Processes that have the directory among their mounts, however they were started. */
export function processesWithMount(directory: string): HostProcess[] {
  const kernel = modelKernel();
  if (kernel !== null) return modelProcessesBelow(kernel, directory);
  const own = read('/proc/self/mountinfo');
  return hostProcesses().filter((process) => {
    if (process.ended) return false;
    const mounts = read(`/proc/${process.pid}/mountinfo`);
    return mounts !== null && mounts !== own && mounts.includes(directory);
  });
}

/** The mounts of the host, one a line. */
export function hostMounts(): string[] {
  const kernel = modelKernel();
  if (kernel !== null) return kernel.host.getfsstat().map((row) => JSON.stringify(row));
  return (read('/proc/self/mountinfo') ?? '').split('\n');
}

/** The names of the host's network interfaces, up or not; of the model's with their addresses. */
export function hostInterfaces(): string[] {
  const kernel = modelKernel();
  if (kernel !== null) return modelInterfaces(kernel);
  return names('/sys/class/net');
}

/** The host's routes to an address of a jail. */
export function hostRoutesTo(address: string): string[] {
  const kernel = modelKernel();
  if (kernel !== null) return modelInterfaces(kernel).filter((row) => row.endsWith(` ${address}`));
  const table = address.includes(':') ? '/proc/net/ipv6_route' : '/proc/net/fib_trie';
  const text = address.includes(':') ? hexOf(address) : `${address}\n`;
  return (read(table) ?? '').split(/^/m).filter((line) => line.includes(text));
}

/** The network namespaces that some process is in, of those that this user may look at. */
export function networkNamespaces(): Set<string> {
  const links = names('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => link(`/proc/${name}/ns/net`));
  return new Set(links.filter((text) => text !== null));
}

/** What this process has open, as the kernel names it. */
export function openDescriptors(): string[] {
  const kernel = modelKernel();
  if (kernel !== null) return modelDescriptors(kernel);
  return names('/proc/self/fd')
    .map((name) => link(`/proc/self/fd/${name}`))
    .filter((text) => text !== null && text !== `/proc/${process.pid}/fd`)
    .map(String);
}

/** Where the package keeps its registry, as its documents say. */
export function stateDirectory(): string {
  const { DRAGONFLY_JAIL_STATE: chosen, XDG_RUNTIME_DIR: runtime } = process.env;
  if (chosen) return chosen;
  if (process.getuid?.() === 0) return '/run/dragonfly-jail';
  return runtime ? join(runtime, 'dragonfly-jail') : `/tmp/dragonfly-jail-${process.getuid?.()}`;
}

/** The folders of jails in the registry. */
export function registryFolders(): string[] {
  const kernel = modelKernel();
  if (kernel !== null) return [];
  return names(join(stateDirectory(), 'jails'));
}

/** The names of jails in the registry, and whose they are. */
export function registeredNames(): { name: string; jid: string }[] {
  if (modelKernel() !== null) return [];
  const folder = join(stateDirectory(), 'names');
  return names(folder).map((name) => ({ name, jid: link(join(folder, name)) ?? '' }));
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
