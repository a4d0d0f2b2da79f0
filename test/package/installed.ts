import assert from 'node:assert/strict';
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('../../..', import.meta.url));
const NODE = realpathSync(process.execPath);
const NPM =
  process.env.npm_execpath ?? join(dirname(dirname(NODE)), 'lib/node_modules/npm/bin/npm-cli.js');

/** What a program printed and how it ended. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node. */
export function node(args: readonly string[], options: SpawnSyncOptions = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(NODE, args, {
    maxBuffer: 2 ** 26,
    ...options,
    encoding: 'utf8',
  });
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

/** Runs a script of this project. */
export function script(name: string): void {
  const { status, stderr } = node([join(project, 'scripts', name)], { cwd: project });
  assert.equal(status, 0, stderr);
}

/** A tarball as the registry would get it. */
export function pack(into: string): string {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', into];
  const { status, stdout, stderr } = npm(args, { cwd: project });
  assert.equal(status, 0, stderr);
  return join(into, stdout.trim());
}

/** An empty project, in a path with spaces, outside of any checkout. */
export class EmptyProject implements Disposable {
  readonly #above = mkdtempSync(join(tmpdir(), 'dragonfly-jail package '));
  readonly folder = join(this.#above, 'a project');

  constructor() {
    chmodSync(this.#above, 0o755);
    mkdirSync(this.folder);
    const content = { name: 'a-project', version: '1.0.0', type: 'module', private: true };
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify(content));
  }

  /** Installs a tarball as npm does. */
  install(tarball: string, flags: readonly string[]): Outcome {
    return npm(['install', ...flags, tarball], { cwd: this.folder, env: this.#bareEnvironment() });
  }

  /** Lets npm run the package's install script, with this machine's compiler. */
  rebuild(): Outcome {
    return npm(['rebuild', 'dragonfly-jail'], { cwd: this.folder });
  }

  /** Copies compiled programs into it. */
  copy(from: string): void {
    cpSync(from, this.folder, { recursive: true });
  }

  /** A module of the project, with everything that it prints. */
  run(source: string, options: SpawnSyncOptions = {}): Outcome {
    return node(['--input-type=module', '-e', source], { cwd: this.folder, ...options });
  }

  /** The value of an expression in a CommonJS program, printed. */
  require(expression: string): Outcome {
    const args = ['--no-warnings', '--input-type=commonjs', '-p', expression];
    return node(args, { cwd: this.folder });
  }

  /** From now on nobody may write there. */
  freeze(): void {
    changeModes(this.folder, (mode) => mode & ~0o222);
  }

  /** Without a compiler and without a network. */
  #bareEnvironment(): NodeJS.ProcessEnv {
    const programs = join(this.#above, 'bin');
    if (!existsSync(programs)) {
      mkdirSync(programs);
      symlinkSync('/bin/sh', join(programs, 'sh'));
      symlinkSync(NODE, join(programs, 'node'));
    }
    return {
      PATH: programs,
      HOME: this.#above,
      npm_config_cache: join(this.#above, 'cache'),
      npm_config_offline: 'true',
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
    };
  }

  [Symbol.dispose](): void {
    changeModes(this.folder, (mode) => mode | 0o200);
    rmSync(this.#above, { recursive: true, force: true });
  }
}

function npm(args: readonly string[], options: SpawnSyncOptions): Outcome {
  return node([NPM, ...args], options);
}

function changeModes(folder: string, change: (mode: number) => number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) changeModes(path, change);
    else if (entry.isFile())
      chmodSync(path, change(entry.name.match(/monitor|\.node$/) ? 0o755 : 0o644));
  }
  chmodSync(folder, change(0o755));
}
