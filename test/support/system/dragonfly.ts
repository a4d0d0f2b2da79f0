import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, fstatSync, rmSync, type Stats } from 'node:fs';
import type { HostProcess, HostSystem } from './system.js';

// More than a test opens.
const MOST_DESCRIPTORS = 256;
const COLUMNS = ['pid', 'ppid', 'jail', 'state', 'lstart', 'ucomm'];
const ROW = /^ *(\d+) +(-?\d+) +(\d+) +(\S+) +(.*\d{4}) +(\S.*?) *$/;
const SLEEPING = /^[IS]/;
const WAITING = /^[DB]/;

interface Row extends HostProcess {
  readonly jid: number;
}

/** DragonFly, by the programs of its base system. */
export const dragonfly: HostSystem = {
  processes: () => list('-ax'),
  process: (pid) => (pid > 0 ? (list('-p', `${pid}`)[0] ?? null) : null),
  argumentsOf: (pid) => text('ps', '-ww', '-o', 'args=', '-p', `${pid}`).trim() || null,
  terminalOf: (pid) => `/dev/${text('ps', '-o', 'tty=', '-p', `${pid}`).trim()}`,
  environmentOf: (pid) => text('ps', '-eww', '-o', 'command=', '-p', `${pid}`),
  peakSize: (pid) => dragonfly.residentSize(pid),
  residentSize: (pid) => Number(text('ps', '-o', 'rss=', '-p', `${pid}`)) * 1024,
  descriptorsOf: (pid) =>
    lines(text('fstat', '-p', `${pid}`)).filter((line) => /^\S+ +\S+ +\d+ +\d+[* ]/.test(line))
      .length,
  ownDescriptors,
  processesBelow,
  mounts: () => lines(text('mount')),
  mountSmall,
  mountReadOnly,
  interfaces,
  routesTo: (address) => interfaces().filter((row) => row.endsWith(` ${address}`)),
  networks: () => new Set(),
  inOwnSession: '/usr/sbin/daemon -f',
  printMode: 'stat -f %Lp',
  printOwner: 'stat -f %u',
};

function mountSmall(path: string, { kilobytes, files }: { kilobytes?: number; files?: number }) {
  const limits = [
    ...(kilobytes === undefined ? [] : ['-s', `${kilobytes}k`]),
    ...(files === undefined ? [] : ['-n', `${files}`]),
  ];
  mount('mount_tmpfs', ...limits, '-m', '755', 'tmpfs', path);
  return () => mount('umount', path);
}

// Another directory with the same in it: none can be mounted on itself.
function mountReadOnly(path: string): () => void {
  const copy = `${path}.copy`;
  cpSync(path, copy, { recursive: true });
  mount('mount_null', '-o', 'ro', copy, path);
  return () => {
    mount('umount', path);
    rmSync(copy, { recursive: true });
  };
}

function mount(file: string, ...args: string[]): void {
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function run(file: string, args: readonly string[]): { pid: number; output: string } {
  const env = { PATH: '/sbin:/bin:/usr/sbin:/usr/bin', LC_ALL: 'C' };
  const { error, pid, stdout } = spawnSync(file, args, { encoding: 'utf8', env });
  if (error) throw error;
  return { pid, output: stdout };
}

function text(file: string, ...args: string[]): string {
  return run(file, args).output;
}

function lines(output: string): string[] {
  return output.split('\n').filter((line) => line !== '');
}

// Without ps(1) itself, which is a child of ours while it looks.
function list(...which: string[]): Row[] {
  const { pid, output } = run('ps', [...which, ...COLUMNS.flatMap((name) => ['-o', `${name}=`])]);
  // The kernel's own threads have the number -1.
  return lines(output)
    .filter((line) => !/^ *-/.test(line))
    .map(rowOf)
    .filter((row) => row.pid !== pid);
}

function rowOf(line: string): Row {
  const [, pid, parent, jid, state = '?', start = '', command = ''] = ROW.exec(line) ?? [];
  if (pid === undefined) throw new Error(`ps(1) says ${line}`);
  const letter = state.replace(SLEEPING, 'S').replace(WAITING, 'D').charAt(0);
  const ended = letter === 'Z' || state.includes('E');
  const about = { pid: Number(pid), parent: Number(parent), jid: Number(jid) };
  return { ...about, command, state: letter, ended, start };
}

function ownDescriptors(): string[] {
  const found: string[] = [];
  for (let fd = 0; fd < MOST_DESCRIPTORS; fd++) {
    const info = statOf(fd);
    if (info !== null) found.push(`${fd} ${kindOf(info)}`);
  }
  return found;
}

function statOf(fd: number): Stats | null {
  try {
    return fstatSync(fd);
  } catch (error) {
    // Some kinds cannot be looked at in this way; they are open all the same.
    return (error as NodeJS.ErrnoException).code === 'EBADF' ? null : ({} as Stats);
  }
}

function kindOf(info: Stats): string {
  if (info.mode === undefined) return 'something';
  if (info.isSocket()) return 'socket';
  if (info.isFIFO()) return 'pipe';
  return `${(info.mode & 0o170000).toString(8)} ${info.dev}:${info.ino}`;
}

// Of the jails that jls(8) lists: the jid comes first, the path somewhere behind the hostname.
function processesBelow(directory: string): HostProcess[] {
  const found = lines(text('jls')).filter((line) => line.includes(directory));
  const jids = new Set(found.map((line) => Number.parseInt(line, 10)));
  return list('-ax').filter(({ jid, ended }) => jids.has(jid) && !ended);
}

function interfaces(): string[] {
  const found: string[] = [];
  let name = '';
  for (const line of lines(text('ifconfig', '-a'))) {
    const [, started] = /^(\w+): flags/.exec(line) ?? [];
    const [, address] = /^\s+inet6? ([0-9a-f.:]+)/.exec(line) ?? [];
    if (started !== undefined) found.push(started);
    if (address !== undefined) found.push(`${name} ${address}`);
    name = started ?? name;
  }
  return found;
}
