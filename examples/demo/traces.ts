// Counts what a jail adds to the host: by the kernel's own files, so as not to believe the package about itself.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 3000; // ms for the last process to be reaped

/** How many there are of one kind of thing. */
export interface Count {
  readonly what: string;
  readonly before: number;
  readonly meanwhile: number;
  readonly after: number;
}

type Counts = Record<'processes' | 'mounts' | 'interfaces' | 'registry entries', number>;

/** What there was before, with, and after a jail whose root is in a folder. */
export class Traces {
  readonly #folder: string;
  readonly #before: Counts;
  #meanwhile: Counts;
  #jid = 0;

  constructor(folder: string) {
    this.#folder = basename(folder);
    this.#before = this.#count();
    this.#meanwhile = this.#before;
  }

  /** To be called while the jail is there. */
  meanwhile(jid: number): void {
    this.#jid = jid;
    this.#meanwhile = this.#count();
  }

  /** Waits until all is as before, but not for long. */
  async settle(): Promise<void> {
    const end = performance.now() + PATIENCE;
    const settled = () => this.counts().every(({ before, after }) => before === after);
    while (!settled() && performance.now() < end) await sleep(50);
  }

  counts(): Count[] {
    const now = this.#count();
    const kinds = Object.keys(now) as (keyof Counts)[];
    return kinds.map((what) => ({
      what,
      before: this.#before[what],
      meanwhile: this.#meanwhile[what],
      after: now[what],
    }));
  }

  rows(): string[][] {
    return this.counts().map(({ what, before, meanwhile, after }) => [
      what,
      `${before}`,
      `${meanwhile}`,
      `${after}`,
    ]);
  }

  #count(): Counts {
    const namespaces = this.#mountNamespaces();
    return {
      processes: descendants(process.pid).length,
      mounts: namespaces.reduce((sum, text) => sum + text.split('\n').length - 1, 0),
      interfaces: names('/sys/class/net').filter((name) => this.#mayBeOurs(name)).length,
      'registry entries': this.#registryEntries(),
    };
  }

  /** The mounts of all namespaces in which the folder is mounted somewhere. */
  #mountNamespaces(): string[] {
    const all = pids().map((pid) => read(`/proc/${pid}/mountinfo`));
    return [...new Set(all.filter((text) => text.includes(this.#folder)))];
  }

  // Other programs may make and stop jails meanwhile.
  #mayBeOurs(name: string): boolean {
    return !/^dfj\d+$/.test(name) || name === `dfj${this.#jid}`;
  }

  #registryEntries(): number {
    const jails = join(stateDirectory(), 'jails');
    const entries = names(jails).map((jid) => read(join(jails, jid, 'entry')));
    return entries.filter((text) => text.includes(this.#folder)).length;
  }
}

// As docs/linux.md has it.
function stateDirectory(): string {
  const { DRAGONFLY_JAIL_STATE: chosen, XDG_RUNTIME_DIR: runtime } = process.env;
  if (chosen) return chosen;
  const uid = process.getuid?.();
  if (uid === 0) return '/run/dragonfly-jail';
  return runtime ? join(runtime, 'dragonfly-jail') : `/tmp/dragonfly-jail-${uid}`;
}

function descendants(ancestor: number): number[] {
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent === ancestor || (parent > 1 && isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

// The name comes before it, in brackets, and may be anything.
function parentOf(pid: number): number {
  const text = read(`/proc/${pid}/stat`);
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

function pids(): number[] {
  return names('/proc').map(Number).filter(Number.isInteger);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone meanwhile, or none of our business
  }
}

function names(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
