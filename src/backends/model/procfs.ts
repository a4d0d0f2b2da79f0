import { isExiting } from './calls/lifecycle.js';
import type { Kernel } from './kernel-state.js';
import type { Viewer } from './place.js';
import type { ProcessEntry } from './process.js';
import { FileSystem, type Vnode } from './vnode.js';

/** What there is of each process, in the order in which it is listed. */
const FILES = [
  'mem',
  'regs',
  'fpregs',
  'dbregs',
  'ctl',
  'status',
  'note',
  'notepg',
  'map',
  'etype',
  'cmdline',
  'rlimit',
  'file',
];
/** Files that tell something; the others are empty here. */
const SOURCES: Readonly<Record<string, (process: ProcessEntry) => string>> = {
  status: statusOf,
  cmdline: ({ args }) => args.map((arg) => `${arg}\0`).join(''),
  rlimit: limitsOf,
  etype: () => 'DragonFly ELF64\n',
};

/** Soft and hard, of a process that nobody limits; what depends on the machine's memory is that of one with 1 GB. */
const LIMITS: readonly (readonly [name: string, soft: bigint, hard: bigint])[] = [
  ['cpu', -1n, -1n],
  ['fsize', -1n, -1n],
  ['data', 128n << 20n, 32n << 30n],
  ['stack', 8n << 20n, 512n << 20n],
  ['core', -1n, -1n],
  ['rss', 1n << 30n, -1n],
  ['memlock', 341n << 20n, 1n << 30n],
  ['nproc', 2000n, 2000n],
  ['nofile', 32000n, 32000n],
  ['sbsize', -1n, -1n],
  ['vmem', -1n, -1n],
  ['posixlock', -1n, -1n],
];
const ROOT_INODE = 2;

/** A procfs: everybody finds the processes that they can see, and themselves as `curproc`. */
export function processFileSystem(kernel: Kernel): FileSystem {
  const made = new FileSystem('procfs', ROOT_INODE);
  const folders = new Map<ProcessEntry, Vnode>();
  made.root.listing = {
    names: (viewer) => ['curproc', ...visible(kernel, viewer).map(({ pid }) => String(pid))],
    find: (name, viewer) => {
      if (name === 'curproc') return current(made, viewer);
      const process = visible(kernel, viewer).find(({ pid }) => String(pid) === name);
      return process === undefined ? undefined : folderOf(made, folders, process);
    },
  };
  return made;
}

// Whoever is on his way out has none any more, however long that takes.
function visible(kernel: Kernel, { credential }: Viewer): ProcessEntry[] {
  return kernel.processes
    .visible(credential)
    .filter((process) => !process.isZombie && !isExiting(process));
}

function current(procfs: FileSystem, { pid }: Viewer): Vnode {
  const link = procfs.make('symlink', 'curproc');
  link.target = String(pid);
  return link;
}

function folderOf(
  procfs: FileSystem,
  folders: Map<ProcessEntry, Vnode>,
  process: ProcessEntry,
): Vnode {
  const known = folders.get(process);
  if (known !== undefined) return known;
  const folder = procfs.make('directory', String(process.pid));
  for (const name of FILES) {
    const file = procfs.make('file', name);
    const source = SOURCES[name];
    if (source !== undefined) file.source = () => Buffer.from(source(process), 'latin1');
    folder.entries.set(name, file);
  }
  folders.set(process, folder);
  return folder;
}

/** sys/vfs/procfs/procfs_status.c: the hostname of its jail stands at the end, and `-` for none. */
function statusOf(process: ProcessEntry): string {
  const { command, pid, parent, pgid, sid, startTime, cpu, credential, terminal } = process;
  const { uid, ruid, rgid, groups, prison } = credential;
  const [thread] = process.threads;
  const flags = [terminal === null ? '' : 'ctty', sid === pid ? 'sldr' : ''].filter(Boolean);
  return [
    `${command} ${pid} ${parent?.pid ?? 0} ${pgid} ${sid}`,
    terminal === null ? '-1,-1' : `${terminal >> 8},${terminal & 0xff}`,
    flags.join(',') || 'noflags',
    `${startTime.seconds},${startTime.microseconds}`,
    `${Math.floor(cpu / 1e6)},${cpu % 1e6} 0,0`,
    thread === undefined || thread.waitsFor === '' ? 'nochan' : thread.waitsFor,
    `${uid} ${ruid} ${[rgid, ...groups].join(',')} ${prison?.hostname ?? '-'}\n`,
  ].join(' ');
}

function limitsOf(process: ProcessEntry): string {
  const lines = LIMITS.map(([name, soft, hard]) => {
    const own = process.limits.get(name);
    return `${name} ${own?.soft ?? soft} ${own?.hard ?? hard}\n`;
  });
  return lines.join('');
}
