import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listJails } from 'dragonfly-jail';
import { eventually, isRoot } from './environment.js';
import {
  descendants,
  hostInterfaces,
  hostMounts,
  openDescriptors,
  registeredNames,
  registryFolders,
} from './host.js';

// From its first stream on libuv keeps a descriptor of /dev/null for itself: this is the first.
createServer()
  .listen(join(tmpdir(), `dfjail-first-${process.pid}`))
  .close();

// From its first listing on the package keeps one too, by which the kernel tells whether a hostname was set.
listJails();

// And from its first jail on the monitor's program, in memory: one for each file that it was read from.
const PROGRAM = '/memfd:jail-monitor (deleted)';

/** What there was before a test did something, to be compared with what there is afterwards. */
export class Snapshot {
  readonly #descriptors = openDescriptors();
  readonly #processes = new Set(
    descendants(process.pid).map(({ pid, start }) => `${pid} ${start}`),
  );
  readonly #mounts = hostMounts();
  readonly #interfaces = new Set(hostInterfaces());
  readonly #folders = new Set(registryFolders());
  readonly #names = new Set(registeredNames().map(({ name }) => name));

  /** @param directory below which all jails of the test have their roots */
  constructor(readonly directory: string) {}

  /** Fails unless everything that came since is gone again within the time. */
  async assertNothingLeft(milliseconds = 3000): Promise<void> {
    await eventually(() => this.#check(), milliseconds);
  }

  #check(): void {
    const jails = listJails();
    const own = jails.filter(({ path }) => path.startsWith(this.directory));
    assert.deepEqual(own, [], 'jails are left');
    assert.deepEqual(this.#newProcesses(), [], 'processes are left');
    assert.deepEqual(this.#newDescriptors(), [], 'descriptors are left open');
    assert.deepEqual(hostMounts(), this.#mounts, 'the mounts of the host have changed');
    // Other programs of the machine make jails too: theirs are listed and alive.
    const others = new Set(jails.map(({ jid }) => String(jid)));
    const folders = registryFolders().filter((jid) => !this.#folders.has(jid) && !others.has(jid));
    assert.deepEqual(folders, [], 'folders are left in the registry');
    const names = registeredNames().filter(
      ({ name, jid }) => !this.#names.has(name) && !others.has(jid),
    );
    assert.deepEqual(names, [], 'names are left in the registry');
    const foreign = jails.some(({ jid }) => !this.#folders.has(`${jid}`));
    // Only root's jails have an interface on the host; those that come while we are not root are somebody else's.
    if (isRoot && !foreign)
      assert.deepEqual(this.#newInterfaces(), [], 'network interfaces are left');
  }

  #newProcesses(): string[] {
    return descendants(process.pid)
      .filter(({ pid, start }) => !this.#processes.has(`${pid} ${start}`))
      .map(({ pid, command, state }) => `${pid} ${command} ${state}`);
  }

  #newDescriptors(): string[] {
    const before = [...this.#descriptors, PROGRAM];
    return openDescriptors().filter((target) => {
      const at = before.indexOf(target);
      if (at >= 0) before.splice(at, 1);
      return at < 0;
    });
  }

  #newInterfaces(): string[] {
    return hostInterfaces().filter((name) => !this.#interfaces.has(name));
  }
}
