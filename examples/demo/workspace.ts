import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MountSpec } from 'dragonfly-jail';
import { prepareThinRoot } from 'dragonfly-jail/rootfs';
import { installPrograms, node } from './inside.js';

/** A temporary folder of the host, with the jail's root in it; removed at the end, whichever way that comes. */
export class Workspace implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'dragonfly-jail-demo-')));
  readonly root = join(this.folder, 'root');

  constructor() {
    process.on('exit', () => this[Symbol.dispose]());
    // Exits instead of being killed: the jail goes with its program either way.
    process.once('SIGINT', () => process.exit(130));
    process.once('SIGTERM', () => process.exit(143));
  }

  /** Makes the root; Node comes along where it is not in one of the system's directories. */
  async prepareRoot(): Promise<MountSpec[]> {
    const { mounts } = await prepareThinRoot(this.root, { include: [dirname(node)] });
    installPrograms(this.root);
    return mounts;
  }

  /** A file that everybody on the host may read, beside the root. */
  writeSecret(): string {
    const path = join(this.folder, 'secret.txt');
    writeFileSync(path, 'for the host only\n', { mode: 0o644 });
    return path;
  }

  /** An address that is not the jail's: the host's own, if it has one. */
  foreignAddress(): string {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const own = all.find(({ internal, family }) => !internal && family === 'IPv4');
    return own?.address ?? '192.0.2.1';
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A process of the host for the jail to aim at. */
export class Victim implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
  }

  alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.alive()) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

export async function startVictim(): Promise<Victim> {
  const child = spawn(node, ['-e', 'setInterval(() => {}, 60_000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return new Victim(child);
}
