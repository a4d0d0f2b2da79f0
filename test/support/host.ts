import { spawn } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { onRealDragonfly } from './environment.js';
import {
  modelDescriptors,
  modelInterfaces,
  modelProcess,
  modelProcesses,
  modelProcessesBelow,
} from './model/host.js';
import { modelKernel } from './model/world.js';
import { type HostProcess, system } from './system/index.js';

export type { HostProcess } from './system/index.js';

// What the tests look up about the machine by themselves, so as not to believe the package about itself: of this machine,
// or of a model of one.

/** The process of that pid, or null when there is none. A zombie is one. */
export function hostProcess(pid: number): HostProcess | null {
  const kernel = modelKernel();
  return kernel === null ? system.process(pid) : modelProcess(kernel, pid);
}

/** Every process of the host. */
export function hostProcesses(): HostProcess[] {
  const kernel = modelKernel();
  return kernel === null ? system.processes() : modelProcesses(kernel);
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
  const all = new Map(hostProcesses().map((process) => [process.pid, process]));
  return processes.filter((process) => {
    const now = all.get(process.pid);
    return now?.start === process.start && !now.ended;
  });
}

/** The monitors that a process of the host started. */
export function monitorsOf(pid: number): HostProcess[] {
  const parent = pid === process.pid ? ownPid() : pid;
  return hostProcesses().filter((one) => one.parent === parent && one.command === 'jail-monitor');
}

/** Processes of jails whose roots are below the directory, however they were started. */
export function processesWithMount(directory: string): HostProcess[] {
  const kernel = modelKernel();
  return kernel === null
    ? system.processesBelow(directory)
    : modelProcessesBelow(kernel, directory);
}

/** The mounts of the host, one a line. */
export function hostMounts(): string[] {
  const kernel = modelKernel();
  if (kernel === null) return system.mounts();
  return kernel.host.getfsstat().map((row) => JSON.stringify(row));
}

/** The names of the host's network interfaces, up or not; on DragonFly with their addresses. */
export function hostInterfaces(): string[] {
  const kernel = modelKernel();
  return kernel === null ? system.interfaces() : modelInterfaces(kernel);
}

/** The host's routes to an address of a jail. */
export function hostRoutesTo(address: string): string[] {
  const kernel = modelKernel();
  if (kernel === null) return system.routesTo(address);
  return modelInterfaces(kernel).filter((row) => row.endsWith(` ${address}`));
}

/** The network namespaces that some process is in, of those that this user may look at. */
export function networkNamespaces(): Set<string> {
  return system.networks();
}

/** What this process has open, as the kernel names it. */
export function openDescriptors(): string[] {
  const kernel = modelKernel();
  return kernel === null ? system.ownDescriptors() : modelDescriptors(kernel);
}

/** Where the package keeps its registry, as its documents say. */
export function stateDirectory(): string {
  const { DRAGONFLY_JAIL_STATE: chosen, XDG_RUNTIME_DIR: runtime } = process.env;
  if (chosen) return chosen;
  if (process.getuid?.() === 0)
    return join(onRealDragonfly ? '/var/run' : '/run', 'dragonfly-jail');
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
