import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import {
  type Block,
  blocksOf,
  documents,
  isProgram,
  read,
  root,
} from '../support/documents/blocks.js';

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

describe('the documents', function () {
  this.timeout(TIMEOUT);

  it('have code that compiles', () => {
    const blocks = documents()
      .flatMap(blocksOf)
      .filter(({ language }) => language === 'ts');
    assert(blocks.length > 10, `only ${blocks.length} blocks were found`);
    assert.deepEqual(problemsOf(blocks), []);
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
