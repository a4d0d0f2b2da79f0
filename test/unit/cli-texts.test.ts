import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from '#internal/cli/docs/index.js';
import { commandNames, loadAllCommands } from '#internal/cli/registry.js';
import { dfjail } from '../support/cli.js';
import { skip } from '../support/environment.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const SLOW = 20_000;

describe('what is written about dfjail', () => {
  it('is up to date: npm run docs makes the files anew', async () => {
    for (const { path, text } of await generatedFiles()) {
      assert.equal(readFileSync(join(root, path), 'utf8'), text, `${path} is stale: npm run docs`);
    }
  });

  it('has all subcommands in the help, the manual and docs/cli.md', async () => {
    const { stdout } = await dfjail(['--help']);
    const manual = readFileSync(join(root, 'man/dfjail.8'), 'utf8');
    const markdown = readFileSync(join(root, 'docs/cli.md'), 'utf8');
    for (const name of commandNames) {
      assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'));
      assert.ok(manual.includes(`.Ss dfjail ${name}\n`), name);
      assert.ok(markdown.includes(`\n## dfjail ${name}\n`), name);
    }
  });

  it('the help of each has a usage, examples and exit codes, on stdout', async () => {
    for (const { name } of await loadAllCommands()) {
      const { code, stdout, stderr } = await dfjail(['help', name]);
      assert.deepEqual([code, stderr], [0, ''], name);
      for (const part of ['Usage:', 'Examples:', 'Exit codes:']) {
        assert.ok(stdout.includes(`\n${part}\n`), `${name}: ${part}`);
      }
      for (const line of stdout.split('\n')) {
        if (!line.includes('$ ')) assert.ok(line.length <= 100, line);
      }
    }
  });

  it('every example is one that dfjail understands', async function () {
    this.timeout(SLOW);
    for (const { name, examples, options } of await loadAllCommands()) {
      assert.ok(examples.length > 0, `${name} has no examples`);
      if (options.help === undefined) continue; // the base system’s: tried in base-tools.test.ts
      for (const { command } of examples) {
        const [, args = ''] = /\bdfjail \S+ ?((?:'[^']*'|"[^"]*"|[^|;>)])*)/.exec(command) ?? [];
        const words = execFileSync('sh', ['-c', `printf '%s\\0' ${args}`]).toString();
        const argv = words.split('\0').slice(0, -1);
        const { code, stderr } = await dfjail([name, '--help', ...argv]);
        assert.equal(code, 0, `${command}: ${stderr}`);
      }
    }
  });

  it('the manual page is mdoc without a fault', function () {
    const file = join(root, 'man/dfjail.8');
    const lint = spawnSync('mandoc', ['-T', 'lint', file], { encoding: 'utf8' });
    if (lint.error) skip(this, 'mandoc is not installed');
    const harmless = /consider using OS macro|referenced manual not found/;
    const faults = lint.stdout.split('\n').filter((line) => line !== '' && !harmless.test(line));
    assert.deepEqual(faults, []);
  });

  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.equal((await dfjail(['--version'])).stdout, `dfjail ${version}\n`);
  });
});

describe('completion', () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dfjail-completion-'));
    symlinkSync(join(root, 'dist/cli/main.js'), join(folder, 'dfjail'));
    path = `${folder}:${dirname(process.execPath)}:${process.env.PATH}`;
  });
  after(() => rmSync(folder, { recursive: true }));

  // What a shell says; undefined: it is not there.
  function shell(program: string, args: string[], script: string): string | undefined {
    const env = { ...process.env, PATH: path };
    const result = spawnSync(program, args, { env, input: script, encoding: 'utf8' });
    if (result.error) return undefined;
    assert.equal(result.stderr, '');
    return result.stdout;
  }

  async function script(name: string): Promise<string> {
    return (await dfjail(['completion', name])).stdout;
  }

  it('bash completes subcommands, options and their values', async function () {
    const ask = (words: string[]) => `
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
      COMP_CWORD=${words.length - 1}
      _dfjail; echo "\${COMPREPLY[*]}"`;
    const questions = [
      ['dfjail', 're'],
      ['dfjail', 'run', '--pers'],
      ['dfjail', 'top', '--sort', 'm'],
      ['dfjail', 'top', '-s', 'th'],
      ['dfjail', 'run', '--limit', 'nof'],
      ['dfjail', 'tune', 'rawS'],
      ['dfjail', 'completion', 'b'],
    ].map(ask);
    const text = `${await script('bash')}\n${questions.join('\n')}`;
    const answers = shell('bash', ['--norc'], text);
    if (answers === undefined) skip(this, 'bash is not installed');
    const [first = '', ...others] = answers.trimEnd().split('\n');
    assert.ok(first.split(' ').includes('recover'), first);
    assert.deepEqual(others, ['--persist', 'memory', 'threads', 'nofile', 'rawSockets', 'bash']);
  });

  it('zsh takes the script', async function () {
    const text = `autoload -U compinit; compinit -D -u\n${await script('zsh')}\nprint $_comps[dfjail]\n`;
    const answer = shell('zsh', ['-f'], text);
    if (answer === undefined) skip(this, 'zsh is not installed');
    assert.equal(answer, '_dfjail\n');
  });

  it('tcsh takes the script', async function () {
    const file = join(folder, 'dfjail.tcsh');
    writeFileSync(file, await script('tcsh'));
    const answer = shell('tcsh', ['-f'], `source ${file}\ncomplete dfjail\n`);
    if (answer === undefined) skip(this, 'tcsh is not installed');
    assert.ok(answer.includes('p/1/(run ls '), answer);
  });
});
