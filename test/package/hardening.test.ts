import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hostTuple } from '#internal/loader/tuple.js';
import { skip } from '../support/environment.js';
import { project } from './installed.js';

const BUILT = join(project, 'build', 'Release');
const PREBUILT = join(project, 'prebuilds', String(hostTuple()));
const ADDON = 'jail.node';
const MONITOR = 'jail-monitor';
const ANCHOR = 'jail-anchor';

/** What readelf(1) tells of one file. */
function readelf(file: string, ...flags: string[]): string {
  const { status, stdout, stderr } = spawnSync('readelf', ['--wide', ...flags, file], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

function segment(file: string, type: string): string | undefined {
  return readelf(file, '--program-headers')
    .split('\n')
    .find((line) => line.trim().startsWith(type));
}

// A fresh checkout has none yet.
function prebuild(): void {
  const script = join(project, 'scripts', 'prebuild.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

for (const folder of [BUILT, PREBUILT]) {
  const kind = folder === BUILT ? 'built here' : 'that the package brings';
  const files = (...names: string[]) => names.map((name) => join(folder, name)).filter(existsSync);

  describe(`the programs ${kind}`, () => {
    before(function () {
      this.timeout(600_000);
      if (process.platform !== 'linux') skip(this, 'the linker’s flags are those of Linux');
      if (folder === PREBUILT && !existsSync(folder)) prebuild();
      assert(files(ADDON, MONITOR).length === 2, `${folder}: the addon and the monitor are there`);
    });

    it('have no stack that can be run as a program, the anchor included', () => {
      for (const file of files(ADDON, MONITOR, ANCHOR)) {
        assert.match(segment(file, 'GNU_STACK') ?? 'none', / RW {2}/, file);
      }
    });

    it('have no memory that can be both written and run, the anchor included', () => {
      for (const file of files(ADDON, MONITOR, ANCHOR)) {
        const loads = readelf(file, '--program-headers').split('\n');
        for (const line of loads.filter((one) => one.trim().startsWith('LOAD'))) {
          assert.doesNotMatch(line, /W ?E/, file);
        }
      }
    });

    it('have their tables of addresses made read-only once they are bound', () => {
      for (const file of files(ADDON, MONITOR)) {
        assert(segment(file, 'GNU_RELRO'), file);
        const flags = readelf(file, '--dynamic')
          .split('\n')
          .filter((line) => /FLAGS/.test(line));
        assert.match(flags.join('\n'), /\bNOW\b/, file);
      }
    });

    it('are loaded at any address', () => {
      for (const file of files(ADDON, MONITOR)) {
        assert.match(readelf(file, '--file-header'), /Type:\s+DYN/, file);
        assert.doesNotMatch(readelf(file, '--dynamic'), /TEXTREL/, file);
      }
    });

    it('call the checked functions of the C library, and look at their stacks before they return', () => {
      // The monitor has no symbols, and is linked as a whole: what is read is what it would say.
      const addon = readelf(join(folder, ADDON), '--dyn-syms');
      assert.match(addon, /__stack_chk_fail/);
      assert.match(addon, /__\w+_chk\b(?!_fail)/);
      const texts = spawnSync('strings', ['-a', join(folder, MONITOR)], {
        encoding: 'utf8',
      }).stdout;
      assert.match(texts, /stack smashing detected|__stack_chk_fail/);
      assert.match(texts, /buffer overflow detected|__\w+_chk$/m);
    });

    it('mark for the processor where jumps may lead, on x86', function () {
      if (process.arch !== 'x64') skip(this, 'x86 alone has it');
      // What Debian links in beside our code has no marks, and so the whole has no note of them.
      for (const file of files(ADDON, MONITOR)) {
        const code = spawnSync('objdump', ['-d', '--no-show-raw-insn', file], {
          encoding: 'utf8',
          maxBuffer: 2 ** 28,
        });
        assert.equal(code.status, 0, code.stderr);
        const marks = code.stdout.match(/\bendbr64\b/g) ?? [];
        assert(marks.length > 100, `${file}: ${marks.length}`);
      }
    });
  });
}
