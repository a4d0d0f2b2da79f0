import { setTimeout as sleep } from 'node:timers/promises';
import { probe } from 'dragonfly-jail';
import { countOnDragonfly } from './count-dragonfly.js';
import { countOnLinux } from './count-linux.js';
import type { Counts, Watched } from './counts.js';

const PATIENCE = 3000; // ms for the last process to be reaped
const onLinux = probe().backend === 'linux';

/** How many there are of one kind of thing. */
export interface Count {
  readonly what: string;
  readonly before: number;
  readonly meanwhile: number;
  readonly after: number;
}

/** What there was before, with, and after a jail whose root is in a folder. */
export class Traces {
  readonly #folder: string;
  readonly #before: Counts;
  #meanwhile: Counts;
  #jid = 0;

  /** @param folder with the jail's root, ready: no jail has been made yet */
  constructor(folder: string) {
    this.#folder = folder;
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
    return Object.entries(now).map(([what, after]) => ({
      what,
      before: this.#before[what] ?? 0,
      meanwhile: this.#meanwhile[what] ?? 0,
      after,
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
    const watched: Watched = { folder: this.#folder, jid: this.#jid, registry: registry() };
    return onLinux ? countOnLinux(watched) : countOnDragonfly(watched);
  }
}

// As docs/linux.md and docs/dragonfly.md have it.
function registry(): string {
  const { DRAGONFLY_JAIL_STATE: chosen, XDG_RUNTIME_DIR: runtime } = process.env;
  if (chosen) return chosen;
  const uid = process.getuid?.();
  if (uid === 0) return onLinux ? '/run/dragonfly-jail' : '/var/run/dragonfly-jail';
  return runtime ? `${runtime}/dragonfly-jail` : `/tmp/dragonfly-jail-${uid}`;
}
