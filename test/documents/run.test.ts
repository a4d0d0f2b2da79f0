import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { probe } from 'dragonfly-jail';
import { loadRcConf } from 'dragonfly-jail/rc';
import ts from 'typescript';
import {
  type Block,
  blocksOf,
  documents,
  isProgram,
  placeOf,
  root,
} from '../support/documents/blocks.js';
import type { Outcome, Step } from '../support/documents/inside.js';
import { shellSteps } from '../support/documents/shell.js';
import { World } from '../support/documents/world.js';
import { isRoot, nodePath, skip } from '../support/environment.js';

const TIMEOUT = 120_000;

// No code: pictures, and what is read by people alone.
const NO_CODE = ['', 'mermaid'];

function codeBlocks(): Block[] {
  return documents()
    .flatMap(blocksOf)
    .filter(({ language }) => !NO_CODE.includes(language));
}

/** The module that has what a piece of code needs. */
function piecesOf({ directive }: Block): string {
  const name = directive.where === 'model' ? 'model-pieces.js' : 'pieces.js';
  return pathToFileURL(join(root, 'build/test/support/documents', name)).href;
}

const EXPORTS = `
import { open, readFile } from 'node:fs/promises';
import * as entry from 'dragonfly-jail';
import * as rootfs from 'dragonfly-jail/rootfs';
const { buildServiceRoot, inspectRoot, prepareThinRoot, ProgramError } = rootfs;
const {
  findJails, Jail, JailError, JailSystemError, listJails, listProcesses, probe, recover, watchJails,
} = entry;
`;

// What a whole program only declares is made for it.
function programText(block: Block): string {
  const declared = [...block.code.matchAll(/^declare const (\w+): \w+;$/gm)].map(
    ([, name]) => name,
  );
  if (declared.length === 0) return block.code;
  const pieces = `import { ${declared.join(', ')}, settle } from '${piecesOf(block)}';`;
  const code = block.code.replace(/^declare const .*$/gm, '');
  return `${pieces}\n${code}\nawait settle();`;
}

// On a model the pieces before it have run in the same program: nobody else knows the model.
function pieceText(block: Block, earlier: readonly Block[]): string {
  const names = block.directive.where === 'model' ? 'settle' : 'jail, settle, spec';
  const code = [...earlier, block].map((piece) => `{\n${piece.code}}\n`).join('');
  return `${EXPORTS}import { ${names} } from '${piecesOf(block)}';\n${code}await settle();`;
}

function moduleOf(block: Block, earlier: readonly Block[]): string {
  const source = isProgram(block) ? programText(block) : pieceText(block, earlier);
  const { ESNext } = ts.ModuleKind;
  const { ES2022 } = ts.ScriptTarget;
  const compilerOptions = { module: ESNext, target: ES2022, verbatimModuleSyntax: true };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}

// Run in the project, or where the user stands: there the package's own name leads to it.
function nodeStep(block: Block, earlier: readonly Block[] = [], cwd = root): Step {
  const argv = [nodePath, '--input-type=module', '-e', moduleOf(block, earlier)];
  return { argv, cwd, ended: block.directive.ended };
}

/** The blocks before it whose world it goes on in, and itself. */
function chainOf(block: Block, blocks: readonly Block[]): Block[] {
  const chain = [block];
  for (let at = blocks.indexOf(block); blocks[at]?.directive.goesOn; at--) {
    const [before] = blocks.slice(at - 1, at);
    assert(before !== undefined, `${placeOf(block)} goes on after nothing`);
    chain.unshift(before);
  }
  return chain;
}

/** Of the lines `console.log(…); // text`: the texts. */
function promisesOf({ code }: Block): string[] {
  return [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text = '']) => text);
}

function assertRan(block: Block, outcome: Outcome | undefined): void {
  const said = `${placeOf(block)}\n${outcome?.stdout}${outcome?.stderr}`;
  const { ended } = block.directive;
  const wasEnded = ended !== null && outcome?.signal === ended.signal;
  assert(outcome?.code === 0 || wasEnded, `${outcome?.code ?? outcome?.signal} ${said}`);
  for (const text of block.directive.prints) {
    assert((outcome?.stdout + outcome.stderr).includes(text), `"${text}" is not in: ${said}`);
  }
}

describe('what the documents show', function () {
  this.timeout(TIMEOUT);
  const blocks = codeBlocks();
  const { available, reason } = probe().features.jails ?? { available: true };

  it('is run, or says why not', () => {
    const known = ['ts', 'sh', 'json', 'rc.conf'];
    for (const block of blocks) {
      assert(known.includes(block.language), `${placeOf(block)}: what is ${block.language}?`);
    }
    const unrun = blocks.filter(({ directive }) => directive.where === 'nowhere').map(placeOf);
    assert(unrun.length <= 5, `too much is not run: ${unrun}`);
    assert(blocks.length > 60, `only ${blocks.length} blocks were found`);
  });

  it('begins with a program of at most 20 lines that does what it says, for everybody', async function () {
    if (!available) skip(this, `no jails here: ${reason}`);
    const [program] = blocksOf('README.md').filter(isProgram);
    assert(program !== undefined, 'README.md has no program');
    assert(program.code.trimEnd().split('\n').length <= 20, 'it is too long');
    const { argv } = nodeStep(program);
    const { stdout } = await promisify(execFile)(nodePath, argv.slice(1), { cwd: root });
    assert.deepEqual(stdout.trim().split('\n'), promisesOf(program));
  });

  for (const block of blocks.filter(({ language }) => language === 'ts')) {
    it(`${placeOf(block)} runs`, async function () {
      if (block.directive.where === 'nowhere') skip(this, block.directive.reason);
      if (block.directive.where === 'here' && !isRoot) skip(this, 'its world needs root');
      const { needs } = block.directive;
      if (needs !== null && !existsSync(needs)) skip(this, `there is no ${needs} here`);
      const chain = chainOf(block, blocks);
      if (block.directive.where === 'model') return runOnModel(block, chain.slice(0, -1));
      await inWorld(async (world) => {
        if (/'\/etc\/rc\.conf'|inspectRoot\('/.test(block.code)) world.addCompleteRoot();
        const outcomes = await world.run(chain.map((one) => nodeStep(one, [], world.home)));
        for (const [index, one] of chain.entries()) assertRan(one, outcomes[index]);
      });
    });
  }

  async function runOnModel(block: Block, earlier: readonly Block[]): Promise<void> {
    const { argv } = nodeStep(block, earlier);
    const { stdout } = await promisify(execFile)(nodePath, argv.slice(1), { cwd: root });
    const promised = promisesOf(block);
    if (isProgram(block)) assert(promised.length > 0, `${placeOf(block)} promises nothing`);
    assert.deepEqual(stdout.trim().split('\n').filter(Boolean), promised, placeOf(block));
  }

  for (const block of blocks.filter(({ language }) => language === 'sh')) {
    it(`${placeOf(block)} runs`, async function () {
      if (block.directive.where === 'nowhere') skip(this, block.directive.reason);
      if (!isRoot) skip(this, 'its world needs root');
      await inWorld(async (world) => {
        world.addCompleteRoot();
        for (const { code } of jsonBlocks()) world.writeHome('services.json', code);
        const lines = shellSteps(block, world.home);
        const outcomes = await world.run(lines.map(({ step }) => step));
        for (const [index, line] of lines.entries()) line.check(outcomes[index]);
      });
    });
  }

  const jsonBlocks = () => blocks.filter(({ language }) => language === 'json');

  for (const block of jsonBlocks()) {
    it(`${placeOf(block)} is a file for dfjail supervise, whose services become ready`, async function () {
      if (!isRoot) skip(this, 'its world needs root');
      await inWorld(async (world) => {
        world.writeHome('services.json', block.code);
        const supervise = (...args: string[]) => ['dfjail', 'supervise', ...args, 'services.json'];
        const ended = { signal: 'SIGTERM', after: 'web ready' } as const;
        const [checked, ran] = await world.run([
          { argv: supervise('--check'), cwd: world.home },
          { argv: supervise(), cwd: world.home, ended },
        ]);
        assertRan(block, checked);
        assertRan(block, ran);
      });
    });
  }

  for (const block of blocks.filter(({ language }) => language === 'rc.conf')) {
    it(`${placeOf(block)} is read without a complaint`, () => {
      const { list, warnings } = loadRcConf({ text: block.code, file: placeOf(block) });
      assert.equal(list.length > 0, block.code.includes('jail_list'), 'it names no jail');
      assert.deepEqual(warnings, []);
    });
  }

  async function inWorld(action: (world: World) => Promise<void>): Promise<void> {
    const world = new World();
    try {
      await action(world);
    } finally {
      world.remove();
    }
  }
});
