import type { ModelKernel } from 'dragonfly-jail/testing';
import { pathOf } from '#internal/backends/model/place.js';
import type { HostProcess } from '../host.js';

// What the tests look up about a model's host: in its kernel's own tables, not by the package.

type Entry = ModelKernel['processes']['all'][number];

/** The process of that pid. */
export function modelProcess(kernel: ModelKernel, pid: number): HostProcess | null {
  const entry = kernel.processes.find(pid);
  return entry === undefined ? null : describe(entry);
}

/** All of them. */
export function modelProcesses(kernel: ModelKernel): HostProcess[] {
  return kernel.processes.all.map(describe);
}

/** Those that are in a jail whose root is below a directory. */
export function modelProcessesBelow(kernel: ModelKernel, directory: string): HostProcess[] {
  const jails = kernel.jails.filter(({ root }) =>
    (pathOf(root, kernel.root) ?? '').startsWith(directory),
  );
  const jids = new Set(jails.map(({ jid }) => jid));
  return kernel.processes.all.filter(({ jid }) => jids.has(jid)).map(describe);
}

/** What the host's program and its monitors have open. */
export function modelDescriptors(kernel: ModelKernel): string[] {
  return [...kernel.host.entry.files].map(([fd, { kind }]) => `${fd} ${kind}`);
}

/** Each interface, and each address of each. */
export function modelInterfaces(kernel: ModelKernel): string[] {
  return [...kernel.network.interfaces.values()].flatMap(({ name, addresses }) => [
    name,
    ...addresses.map((address) => `${name} ${address}`),
  ]);
}

function describe(entry: Entry): HostProcess {
  const { pid, parent, command, startTime, isZombie } = entry;
  const state = isZombie ? 'Z' : 'S';
  const start = `${startTime.seconds}.${startTime.microseconds}`;
  return { pid, parent: parent?.pid ?? 0, command, state, ended: isZombie, start };
}
