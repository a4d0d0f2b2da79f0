import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { JailSpec } from 'dragonfly-jail';
import { prepareThinRoot } from 'dragonfly-jail/rootfs';

/** The program that runs this one; jails of {@link Scratch} have it at the same path. */
export const node = realpathSync(process.execPath);

/** What every jail of a root needs to be given. */
export type RootSpec = Pick<JailSpec, 'path' | 'mounts'>;

/** A private temporary folder for roots of jails. It is removed at the end, whichever way that comes. */
export class Scratch implements Disposable {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'dragonfly-jail-example-')));
  readonly #remove = () => rmSync(this.#folder, { recursive: true, force: true });

  constructor() {
    process.on('exit', this.#remove);
  }

  /** A directory in which jails see the host's programs, read-only, and nothing else of the host. */
  async root(name: string): Promise<RootSpec> {
    const path = join(this.#folder, name);
    const { mounts } = await prepareThinRoot(path, { include: [dirname(node)] });
    return { path, mounts };
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#remove);
    this.#remove();
  }
}

/** Resolves when somebody asks this program to end: Ctrl-C, kill(1), the system's shutdown. */
export function asked(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
}
