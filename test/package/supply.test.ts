import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { project } from './installed.js';

const MINUTE = 60_000;
const REGISTRY = 'https://registry.npmjs.org/';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
}

describe('package-lock.json', () => {
  const { lockfileVersion, packages } = JSON.parse(
    readFileSync(join(project, 'package-lock.json'), 'utf8'),
  ) as { lockfileVersion: number; packages: Record<string, Locked> };
  const installed = Object.entries(packages).filter(([path]) => path !== '');

  it('has the hash of every package', () => {
    assert.equal(lockfileVersion, 3);
    assert(installed.length > 100);
    for (const [path, { integrity }] of installed) {
      assert.match(integrity ?? '', /^sha512-[A-Za-z0-9+/]{86}==$/, path);
    }
  });

  it('takes packages from the public registry alone', () => {
    for (const [path, { resolved, link }] of installed) {
      assert.equal(link, undefined, path);
      assert((resolved ?? REGISTRY).startsWith(REGISTRY), `${path}: ${resolved}`);
    }
  });

  it('has no package with an install script among those that users get', () => {
    const users = installed.filter(([, { dev }]) => !dev);
    assert.deepEqual(
      users.map(([path]) => path),
      ['node_modules/node-addon-api'],
    );
    for (const [path, { hasInstallScript }] of users) assert(!hasInstallScript, path);
  });
});

describe('the install script', function () {
  this.timeout(2 * MINUTE);

  it('is the only one that npm runs where the package is installed, and a program of this package', () => {
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const names = ['preinstall', 'install', 'postinstall', 'prepublish', 'prepare', 'preprepare'];
    const run = names.flatMap((name) => scripts[name] ?? []);
    assert.deepEqual(run, ['node scripts/install.mjs']);
  });

  it('asks nobody for Node’s headers where they are missing, and says how to get them', async () => {
    await using machine = await MachineWithoutHeaders.start();
    const { code, stderr } = await machine.run('scripts/install.mjs');
    assert.match(stderr, /headers \(node_api\.h\) are not on this machine/);
    assert.match(stderr, /--nodedir=FOLDER/);
    assert.equal(code, 1);
    assert.deepEqual(machine.asked, []);
  });

  it('would be seen if it asked: npm run compile does, in a checkout', async () => {
    await using machine = await MachineWithoutHeaders.start();
    await machine.run('-e', "import('./scripts/lib/native.mjs').then((m) => m.buildNative())");
    assert.notDeepEqual(machine.asked, []);
  });
});

/** A copy of the sources, a Node with nothing beside it, and a server in the place of nodejs.org. */
class MachineWithoutHeaders implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'dragonfly-jail-headers-'));
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(({ url }, response) => {
      this.asked.push(String(url));
      response.writeHead(404).end();
    });
    for (const name of ['scripts', 'native', 'test/native', 'binding.gyp', 'package.json']) {
      cpSync(join(project, name), join(this.#folder, name), { recursive: true });
    }
    mkdirSync(join(this.#folder, 'bin'));
    copyFileSync(process.execPath, this.#node);
  }

  static async start(): Promise<MachineWithoutHeaders> {
    const machine = new MachineWithoutHeaders();
    await new Promise<void>((resolve) => {
      machine.#server.listen(0, '127.0.0.1', resolve);
    });
    return machine;
  }

  get #node(): string {
    return join(this.#folder, 'bin', 'node');
  }

  run(...args: string[]): Promise<{ code: unknown; stderr: string }> {
    const address = this.#server.address();
    assert(address !== null && typeof address === 'object');
    const env = {
      PATH: process.env.PATH,
      HOME: this.#folder,
      npm_config_disturl: `http://127.0.0.1:${address.port}`,
      npm_config_node_gyp: join(project, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'),
    };
    return new Promise((resolve) => {
      execFile(this.#node, args, { cwd: this.#folder, env }, (error, _stdout, stderr) => {
        resolve({ code: error?.code ?? 0, stderr });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
