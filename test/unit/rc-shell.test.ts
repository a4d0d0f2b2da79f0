import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRcConf, RcError } from 'dragonfly-jail/rc';
import fc from 'fast-check';

const FIXTURES = 'test/fixtures/rc';
const shells = ['/bin/sh', '/bin/dash', '/bin/bash', '/bin/ksh'].filter((path) => existsSync(path));

/** The variables as a real shell has them after it has sourced the files: it writes each with its length before. */
function asSourced(shell: string, files: readonly string[], names: readonly string[]) {
  const write = names.map((name) => `printf '%s\\0' "\${${name}+set}\${${name}-}"`);
  const script = [...files.map((_, at) => `. "$${at + 1}"`), ...write].join('\n');
  // Not a socket: bash would take it for a remote login, and read its own files.
  const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[];
  const options = { env: {}, stdio, encoding: 'utf8' as const, maxBuffer: 1 << 26 };
  const { stdout, stderr, status } = spawnSync(shell, ['-c', script, 'sh', ...files], options);
  assert.equal(`${stderr}${status}`, '0', `${shell} ${files.join(' ')}`);
  const values = stdout.split('\0').slice(0, -1);
  assert.equal(values.length, names.length);
  return new Map(names.map((name, at) => [name, (values[at] ?? '').replace(/^set/, '')]));
}

describe('rc.conf as sh(1) reads it', () => {
  let folder: string;
  let file: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dfjail-rc-'));
    file = join(folder, 'rc.conf');
  });
  after(() => rmSync(folder, { recursive: true }));

  function assertSame(files: readonly string[], only: readonly string[] = shells): void {
    const { variables } = loadRcConf(files);
    assert.ok(variables.size > 0, 'something was read');
    for (const shell of only) {
      const sourced = asSourced(shell, files, [...variables.keys()]);
      assert.deepEqual(Object.fromEntries(variables), Object.fromEntries(sourced), shell);
    }
  }

  function assertSameText(text: string): void {
    writeFileSync(file, text);
    assertSame([file]);
  }

  it('has a shell to be compared with', () => {
    assert.ok(shells.length > 0);
  });

  const fixtures = readdirSync(FIXTURES).filter((name) => name.endsWith('.conf'));
  for (const name of fixtures) {
    it(`is the same for ${name}`, () => assertSame([join(FIXTURES, name)]));
  }

  it('is the same for several files, the later ones winning', () => {
    assertSame(fixtures.map((name) => join(FIXTURES, name)));
    assertSame(fixtures.map((name) => join(FIXTURES, name)).reverse());
  });

  const cases: Readonly<Record<string, string>> = {
    'no quotes': 'a=b\n_c9=d/e.f,g:h@i%j+k-l=m!n^o]p}q{r\n',
    'double quotes': 'a="b  c"\nb="it\'s"\nc="\\$x \\`y\\` \\"z\\" \\\\ \\q \\\'"\n',
    'single quotes': "a='b  c'\nb='$x `y` \"z\" \\'\nc=''\n",
    'pieces one after the other': 'a=b"c d"\'e f\'g\\ h""\n',
    backslashes: 'a=\\a\\$\\"\\\'\\\\\\ \\;\\#\nb="\\a\\n"\n',
    'a line that goes on': 'a="one \\\ntwo"\nb=thr\\\nee\nc=\'four \\\nfive\'\nd\\\nd=six\n',
    'a name or a sign broken in two': 'ab=1\nc=$a\\\nb\nd=$\\\n{a\\\nb}\n',
    'line ends between quotes': 'a="b\nc"\nb=\'d\ne\'\n',
    comments: '# a=1\na=2 # b=3\nc=4#5 d="#6" # e=7 \\\nf=8\n  # g\n\t#\n',
    'several on a line': 'a=1; b=2 ;c=3;\nd=4 e=5\tf=6\n',
    'blanks and empty lines': '\n \t\n  a=1  \n\tb=2\t\n\n',
    'no line end at the end': 'a=1',
    'earlier variables': `a=1\nb=$a\${a}2"$a"'$a'\\$a\nc=$b$nothing-$a.\n`,
    'a sign that stands for itself': 'a=$\nb="$"\nc=$/x$.$%\nd="x$"y\n',
    'later assignments': 'a=1\nb=$a\na=2\nc=$a\na=$a$a\n',
    'words in the place of an unset variable': `a=\nb=1\nc=\${a:-x y}\${a-x}\${b:-x}\${u:-/v/w}\${u-}\nd="\${a:-x y}\${u:-$b}\${u:-\${a:-z}}"\n`,
    'letters of all kinds': 'a="Grüße 東京 🐉"\nb=ä\nc=\'\u{1}\u{7f}\u{85}\u{a0}\'\n',
    'signs of patterns and braces': 'a=*.conf\nb=[a-z]?\nc={x,y}\nd="~"\ne=\\~\nf=x~\n',
    'carriage returns': 'a=1\r\nb="2"\r\n',
  };
  for (const [name, text] of Object.entries(cases)) {
    it(`takes ${name}`, () => assertSameText(text));
  }

  it('knows the end of the system’s own defaults', () => {
    const end = readFileSync(join(FIXTURES, 'defaults-end.txt'), 'utf8');
    assertSameText(`a=1\n\n${end}b=2\n`);
    for (const changed of [end.replace('then', 'then\n\ta=2'), `${end.trimEnd()}; a=2\n`]) {
      writeFileSync(file, changed);
      assert.throws(() => loadRcConf(file), RcError);
    }
  });

  describe('whatever the value', () => {
    const runs = { numRuns: 60 };
    const text = fc
      .string({
        unit: fc.oneof(
          fc.constantFrom(...` \t\n'"\\$\`#;&|<>(){}*?[]~!=:-ab1`),
          fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }),
        ),
        maxLength: 30,
      })
      .filter((value) => !value.includes('\0') && value.isWellFormed());
    const single = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
    const double = (value: string) => `"${value.replace(/[$`"\\]/g, '\\$&')}"`;
    const slashes = (value: string) =>
      [...value].map((each) => (each === '\n' ? "'\n'" : `\\${each}`)).join('') || "''";

    for (const [name, quote] of Object.entries({ single, double, slashes })) {
      it(`is what was quoted (${name})`, () => {
        fc.assert(
          fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (values) => {
            const lines = values.map((value, at) => `v${at}=${quote(value)}`);
            const { variables } = loadRcConf({ text: lines.join('\n') });
            assert.deepEqual([...variables.values()], values);
            assertSameText(`${lines.join('\n')}\n`);
          }),
          runs,
        );
      });
    }

    it('is what the shells make of any mixture, or is refused', () => {
      const piece = fc.oneof(
        text.map(single),
        text.map(double),
        fc.constantFrom(
          '$a',
          `\${a}`,
          '"$a b"',
          '\\\n',
          '\\a',
          'x',
          '/',
          ':',
          '=',
          '#',
          `\${u:-x}`,
          `\${e:-$a}`,
          `"\${e-y}"`,
          '$',
          '"\\a"',
          '~',
          '%',
          '\\\\',
          '{',
          '}',
          '*',
          ' # c',
          ';',
          '\t',
        ),
      );
      const line = fc.array(piece, { maxLength: 8 });
      let read = 0;
      fc.assert(
        fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
          const body = lines.map((pieces, at) => `v${at}=${pieces.join('')}`).join('\n');
          const whole = `a='A a'\ne=\n${body}\n`;
          writeFileSync(file, whole);
          try {
            loadRcConf(file);
          } catch (error) {
            assert.ok(error instanceof RcError, `${error}`);
            return;
          }
          read += 1;
          assertSame([file]);
        }),
        { numRuns: 200 },
      );
      assert.ok(read > 40, `${read} of them were read`);
    });
  });

  describe('refuses what would have to be executed, and says where', () => {
    const refused: Readonly<Record<string, string>> = {
      'a command in $()': 'b=$(id)',
      'a command in $() between quotes': 'b="x$(id)"',
      'a command in backquotes': 'b=`id`',
      'a command in backquotes between quotes': 'b="`id`"',
      arithmetic: 'b=$((1+1))',
      'arithmetic of old': 'b=$[1+1]',
      if: 'if true; then b=1; fi',
      for: 'for i in 1 2; do b=$i; done',
      while: 'while true; do b=1; done',
      case: 'case x in x) b=1;; esac',
      'a function': 'f() { b=1; }',
      'a function with a space': 'f () { b=1; }',
      'a group': '{ b=1; }',
      'a subshell': '(b=1)',
      '. of another file': '. /etc/other.conf',
      'source of another file': 'source /etc/other.conf',
      'a pipe': 'b=1 | cat',
      'a redirection': 'b=1 > /tmp/x',
      'a here document': 'b=1 <<E\nE',
      'a background command': 'b=1 &',
      'a list with &&': 'b=1 && c=2',
      export: 'export b=1',
      local: 'local b=1',
      readonly: 'readonly b=1',
      'a command': 'echo b=1',
      'a command with an environment': 'b=1 id',
      'a name that is quoted': '"b"=1',
      'a name that begins with a digit': '2b=1',
      'a blank before the sign': 'b =1',
      'a blank after the sign': 'b= 1',
      'an appendix': 'b+=1',
      'an array': 'b=(1 2)',
      'an element': 'b[0]=1',
      'a length': `b=\${#a}`,
      'a pattern': `b=\${a%x}`,
      'an assignment in a value': `b=\${u:=x}`,
      'a complaint': `b=\${u:?x}`,
      'an indirection': `b=\${!a}`,
      'quotes in a default': `b=\${u:-"x"}`,
      'a command in a default': `b=\${u:-$(id)}`,
      'a parameter': 'b=$1',
      'a parameter with braces': `b=\${1}`,
      'the pid': 'b=$$',
      'the home directory': 'b=~',
      'a home directory': 'b=~root/x',
      'a home directory after a colon': 'b=x:~',
      'a variable of the environment': 'b=$HOME',
      'a variable of the shell': 'b=$RANDOM',
      'an assignment of a variable of the shell': 'UID=5',
      'a variable of the same line': 'c=1 b=$c',
      'quotes of other shells': "b=$'x'",
      'a quote that is not closed': "b='x",
      'a double quote that is not closed': 'b="x',
      'a brace that is not closed': `b=\${a`,
      'a backslash at the end': 'b=x\\',
      'a semicolon alone': ';',
      'two semicolons': 'b=1;;',
    };
    for (const [name, text] of Object.entries(refused)) {
      it(name, () => {
        writeFileSync(file, `# first\na="x\ny"\n${text}`);
        assert.throws(
          () => loadRcConf(file),
          (error: unknown) => {
            assert.ok(error instanceof RcError, `${error}`);
            assert.equal(error.code, 'ERR_JAIL_RC');
            assert.deepEqual([error.file, error.line], [file, 4]);
            assert.ok(error.message.startsWith(`${file}:4: `), error.message);
            return true;
          },
        );
      });
    }

    it('and runs none of it', () => {
      const proof = join(folder, 'proof');
      for (const text of [`a=$(touch ${proof})`, `a=\`touch ${proof}\``, `touch ${proof}`]) {
        assert.throws(() => loadRcConf({ text, file: 'x' }), RcError);
      }
      assert.equal(existsSync(proof), false);
    });

    it('never anything but an error of its own, for any text', () => {
      const unit = fc.constantFrom(...`\n\t '"\\$\`#;&|<>(){}*?[]~!=:-ab1\0é`);
      fc.assert(
        fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
          try {
            loadRcConf({ text });
          } catch (error) {
            assert.ok(error instanceof RcError, `${error}`);
          }
        }),
        { numRuns: 3000 },
      );
    });
  });

  it('does not grow without end', () => {
    const lines = Array.from({ length: 60 }, () => 'a="$a$a"').join('\n');
    assert.throws(() => loadRcConf({ text: `a=x\n${lines}` }), /too long/);
  });
});
