import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { EmptyProject, node, type Outcome, pack, project } from './installed.js';

const MINUTE = 60_000;
const TSC = join(project, 'node_modules', 'typescript', 'bin', 'tsc');

// What a strict program says of its dependencies: their declarations are checked, too.
const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  types: ['node'],
};

/** The tarball unpacked by npm in a project of its own, which sees the checkout's Node types and nothing else of it. */
class Program extends EmptyProject {
  constructor(tarball: string, kind: 'module' | 'commonjs') {
    super();
    const { status, stderr } = this.install(tarball, ['--ignore-scripts']);
    assert.equal(status, 0, stderr);
    const content = { name: 'a-program', version: '1.0.0', type: kind };
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify(content));
    for (const name of ['@types/node', 'undici-types']) this.#borrow(name);
    cpSync(join(project, 'test', 'types'), join(this.folder, 'types'), { recursive: true });
  }

  compile(compilerOptions: object): Outcome {
    const config = { compilerOptions: { ...STRICT, ...compilerOptions }, include: ['types'] };
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify(config));
    return node([TSC, '-p', '.'], { cwd: this.folder });
  }

  #borrow(name: string): void {
    const path = join(this.folder, 'node_modules', name);
    mkdirSync(join(path, '..'), { recursive: true });
    symlinkSync(join(project, 'node_modules', name), path);
  }
}

function assertCompiles({ status, stdout, stderr }: Outcome): void {
  assert.equal(stdout + stderr, '');
  assert.equal(status, 0);
}

// The Nodes that the package is for load modules by require(), too; TypeScript before 5.8 does not know, nor does this checker. The
// resolution of Node 10 knows no exports at all.
function matters(problem: Problem): boolean {
  if (problem.kind === 'CJSResolvesToESM') return false;
  return !('resolutionKind' in problem && problem.resolutionKind === 'node10');
}

describe('the declarations of the package', function () {
  this.timeout(4 * MINUTE);
  let folder: string;
  let tarball: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dragonfly-jail-types-'));
    tarball = pack(folder);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('let a strict program compile what is right, and nothing that is wrong', () => {
    using program = new Program(tarball, 'module');
    assertCompiles(program.compile({ module: 'NodeNext' }));
    assertCompiles(program.compile({ module: 'ESNext', moduleResolution: 'bundler' }));
  });

  it('serve CommonJS programs, too', () => {
    using program = new Program(tarball, 'commonjs');
    assertCompiles(program.compile({ module: 'NodeNext' }));
    const { stdout, stderr } = program.require("typeof require('dragonfly-jail/rc').loadRcConf");
    assert.equal(stdout, 'function\n', stderr);
  });

  it('are found by every way of resolution that Node 20 and bundlers have', async () => {
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    assert(result.types, 'there are no types');
    const { exports } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    assert.deepEqual(Object.keys(result.entrypoints).sort(), Object.keys(exports).sort());
    assert.deepEqual(result.problems.filter(matters), []);
  });

  it('and the rest of package.json say what npm and bundlers expect', async () => {
    const content = readFileSync(tarball);
    const { buffer, byteOffset, byteLength } = content;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice().buffer;
    const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg ?? {}, { color: false })),
      [],
    );
  });

  it('name no file of the package that is not there', () => {
    const names = readdirSync(join(project, 'dist'), { recursive: true, encoding: 'utf8' });
    const files = names.filter((name) => name.endsWith('.d.ts'));
    assert(files.length > 100, `only ${files.length} declarations`);
    for (const file of files) {
      const text = readFileSync(join(project, 'dist', file), 'utf8');
      for (const [, target = ''] of text.matchAll(/from '(\.[^']+)\.js'/g)) {
        assert(names.includes(join(file, '..', `${target}.d.ts`)), `${file} needs ${target}`);
      }
    }
  });
});
