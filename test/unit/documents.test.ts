import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { probe } from 'dragonfly-jail';
import ts from 'typescript';
import { skip } from '../support/environment.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const TIMEOUT = 60_000;

// What the documents say that their pieces of code have: the package's exports, and a few things made before.
const PRELUDE = `
import { open, readFile } from 'node:fs/promises';
import {
  findJails, Jail, JailError, JailSystemError, listJails, listProcesses, probe, recover, watchJails,
  type JailSpec, type MountSpec,
} from 'dragonfly-jail';
import { buildServiceRoot, inspectRoot, prepareThinRoot, ProgramError } from 'dragonfly-jail/rootfs';
declare const jail: Jail;
declare const spec: JailSpec;
`;

interface Block {
  readonly document: string;
  /** Of its first line of code. */
  readonly line: number;
  readonly code: string;
}

function documents(): string[] {
  const names = [...readdirSync(root), ...readdirSync(join(root, 'docs')).map((n) => `docs/${n}`)];
  return names.filter((name) => name.endsWith('.md'));
}

function read(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}

function blocksOf(document: string): Block[] {
  const text = read(document);
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    document,
    line: text.slice(0, match.index).split('\n').length + 1,
    code: match[1] ?? '',
  }));
}

/** A whole program says what it needs; everything else is a piece of one. */
function isProgram({ code }: Block): boolean {
  return code.startsWith('import ');
}

/** A block as a file; the lines of the code keep their distance from its first. */
function sourceOf(block: Block): { text: string; firstLine: number } {
  if (isProgram(block)) return { text: block.code, firstLine: 0 };
  // In braces, so that a piece may name its own jail.
  const before = `${PRELUDE}{\n`;
  return { text: `${before}${block.code}}\n`, firstLine: before.split('\n').length - 1 };
}

// One program for all of them: most of the time goes into the types of Node.
function problemsOf(blocks: readonly Block[]): string[] {
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const files = new Map(blocks.map((block, i) => [join(root, 'test', `block-${i}.ts`), block]));
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (name) => files.has(name) || ts.sys.fileExists(name);
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const block = files.get(name);
    if (block === undefined) return getSourceFile(name, languageVersion, ...rest);
    return ts.createSourceFile(name, sourceOf(block).text, languageVersion);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map((problem) => describeProblem(problem, files));
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'test', 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'test'));
  return { ...options, noEmit: true, types: ['node'] };
}

function describeProblem(problem: ts.Diagnostic, files: ReadonlyMap<string, Block>): string {
  const message = ts.flattenDiagnosticMessageText(problem.messageText, '\n');
  const block = files.get(problem.file?.fileName ?? '');
  if (problem.file === undefined || block === undefined) return message;
  const { line } = problem.file.getLineAndCharacterOfPosition(problem.start ?? 0);
  return `${block.document}:${block.line + line - sourceOf(block).firstLine}: ${message}`;
}

async function run(program: Block): Promise<string> {
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(program.code, { compilerOptions: options });
  // Run here, so that the package's own name leads to it.
  const args = ['--input-type=module', '-e', outputText];
  const limits = { cwd: root, timeout: TIMEOUT / 4, killSignal: 'SIGKILL' as const };
  const { stdout } = await promisify(execFile)(process.execPath, args, limits);
  return stdout;
}

describe('the documents', function () {
  this.timeout(TIMEOUT);

  it('have code that compiles', () => {
    const blocks = documents().flatMap(blocksOf);
    assert(blocks.length > 10, `only ${blocks.length} blocks were found`);
    assert.deepEqual(problemsOf(blocks), []);
  });

  it('begin with a program of at most 20 lines that does what it says', async function () {
    const { available, reason } = probe().features.jails ?? { available: true };
    if (!available) skip(this, `no jails here: ${reason}`);
    const [program] = blocksOf('README.md').filter(isProgram);
    assert(program !== undefined, 'README.md has no program');
    assert(program.code.trimEnd().split('\n').length <= 20, 'it is too long');
    const promised = /console\.log\(stdout\); \/\/ (.*)/.exec(program.code)?.[1];
    assert.equal((await run(program)).trim(), promised);
  });

  it('show how to test with programs that run and print what they say', async () => {
    const programs = blocksOf('docs/testing.md');
    assert(programs.length >= 6, `only ${programs.length} programs were found`);
    for (const program of programs) {
      const where = `${program.document}:${program.line}`;
      assert(isProgram(program), `${where} is no whole program`);
      const promised = [...program.code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)];
      assert(promised.length > 0, `${where} promises nothing`);
      const wanted = promised.map(([, text]) => text);
      assert.deepEqual((await run(program)).trim().split('\n'), wanted, where);
    }
  });

  it('lead nowhere in vain', () => {
    for (const document of documents()) {
      for (const [, target = ''] of read(document).matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)) {
        if (/^https?:/.test(target)) continue;
        const path = join(root, dirname(document), target);
        assert(existsSync(path), `${document} links to ${target}`);
      }
    }
  });

  it('have a reference of the API that is made without a complaint', async function () {
    this.timeout(2 * TIMEOUT);
    const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
    const made = promisify(execFile)(process.execPath, [typedoc, '--emit', 'none'], { cwd: root });
    // Its warnings count as errors: what is not documented, exported but not reachable, linked to nothing.
    await assert.doesNotReject(made);
  });

  it('explain every error code', () => {
    const codes = read('src/errors.ts').match(/(?<=^ {2}\| ')ERR_\w+/gm) ?? [];
    assert(codes.length > 10, `only ${codes.length} codes were found`);
    const explained = read('docs/troubleshooting.md');
    for (const code of codes) assert(explained.includes(`| \`${code}\` |`), code);
  });
});
