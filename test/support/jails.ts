import { Jail, type JailSpec } from 'dragonfly-jail';
import { onDragonfly } from './environment.js';
import { makeRoot, type TestRoot } from './roots.js';

const TEST_TIMEOUT = 20_000;

/** The jails of a suite: all in one root, all stopped after each test. */
export class Jails {
  #root: TestRoot | undefined;
  readonly #made: Jail[] = [];

  get root(): TestRoot {
    if (this.#root === undefined) throw new Error('the suite has not begun');
    return this.#root;
  }

  /** A complete specification; give what the test is about. */
  spec(about: Partial<JailSpec> = {}): JailSpec {
    const { path, mounts } = this.root;
    // DragonFly's jails have their addresses on an interface of the host.
    const network = onDragonfly && about.addresses ? { interface: 'lo0' } : {};
    return { path, hostname: 'jail.test', mounts, ...network, ...about };
  }

  async create(about: Partial<JailSpec> = {}): Promise<Jail> {
    return this.keep(await Jail.create(this.spec(about)));
  }

  /** Has a jail from elsewhere stopped as well. */
  keep(jail: Jail): Jail {
    this.#made.push(jail);
    return jail;
  }

  async begin(): Promise<void> {
    this.#root = await makeRoot();
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#made.splice(0).map((jail) => jail.stop({ graceMs: 0 })));
  }

  async end(): Promise<void> {
    await this.#root?.remove();
  }
}

/** Call it in `describe`: makes the suite's root and cleans up. */
export function useJails(): Jails {
  const jails = new Jails();
  before(async function () {
    this.timeout(TEST_TIMEOUT);
    this.test?.parent?.eachTest((test) => {
      test.timeout(TEST_TIMEOUT);
    });
    await jails.begin();
  });
  afterEach(() => jails.stopAll());
  after(() => jails.end());
  return jails;
}
