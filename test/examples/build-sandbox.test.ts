import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skip } from '../support/environment.js';
import { type ExampleEnd, leaveNothing, runExample } from '../support/example.js';

const COMPILED = 0;
const NOT_COMPILED = 1;
const FAILED = 2;

describe('the build sandbox', function () {
  this.timeout(60_000);
  let folder: string;

  before(function () {
    if (spawnSync('cc', ['--version']).status !== 0) skip(this, 'there is no C compiler here');
    folder = mkdtempSync(join(tmpdir(), 'dfjail-test-sources-'));
  });
  after(() => folder && rmSync(folder, { recursive: true }));
  leaveNothing();

  function build(source: string, ...args: string[]): Promise<ExampleEnd> {
    const file = join(folder, 'source.c');
    writeFileSync(file, source);
    return runExample('build-sandbox', [file, ...args]);
  }

  it('compiles a good program and runs it', async () => {
    const { code, stdout, stderr } = await build(
      `#include <stdio.h>
       int main(int argc, char **argv) { printf("hello %s\\n", argv[argc - 1]); return 0; }`,
      'newcomer',
    );
    assert.equal(code, COMPILED, stdout + stderr);
    assert.match(stdout, /^the compiler ended well after \d+ ms\nthe program ended well/);
    assert.match(stdout, / {2}\| hello newcomer\n/);
  });

  it('shows what the compiler complains of', async () => {
    const { code, stdout } = await build('int main(void) { return missing; }');
    assert.equal(code, NOT_COMPILED);
    assert.match(stdout, /source\.c:1:\d+: error: .*missing/);
  });

  it('tells when the program fails', async () => {
    const { code, stdout } = await build('int main(void) { return 5; }');
    assert.equal(code, FAILED);
    assert.match(stdout, /the program ended by exit code 5/);
  });

  it('does not include the files of the host', async () => {
    const secret = join(folder, 'secret.h');
    writeFileSync(secret, '#define SECRET 42\n', { mode: 0o644 });
    const { code, stdout } = await build(`#include "${secret}"\nint main(void) { return SECRET; }`);
    assert.equal(code, NOT_COMPILED);
    assert.match(stdout, /secret\.h: No such file or directory/);
  });

  it('has enough of a compiler that reads without end', async () => {
    const { code, stdout } = await build('#include "/dev/zero"\nint main(void) { return 0; }');
    assert.equal(code, NOT_COMPILED);
    assert.match(stdout, /the compiler (ended by|was not done in)/);
  });

  it('has enough of a compiler that writes without end', async () => {
    const { code, stdout } = await build('int x[1 << 29] = { 1 };\nint main(void) { return 0; }');
    assert.equal(code, NOT_COMPILED);
    assert.match(stdout, /the compiler ended by/);
  });

  it('ends a fork bomb with all that it has started', async () => {
    const { code, stdout } = await build(
      '#include <unistd.h>\nint main(void) { for (;;) fork(); }',
    );
    assert.equal(code, FAILED);
    assert.match(stdout, /the program (was not done in 5 s|ended by)/);
  });

  it('ends a program that leaves somebody behind who holds its output', async () => {
    const { code, stdout } = await build(`
      #include <unistd.h>
      int main(void) { if (fork() == 0) { setsid(); pause(); } return 0; }`);
    assert.equal(code, FAILED);
    assert.match(stdout, /the program was not done in 5 s/);
  });

  it('does not take more output than it wants', async () => {
    const { code, stdout } = await build(
      '#include <stdio.h>\nint main(void) { for (;;) puts("more and more and more"); }',
    );
    assert.equal(code, FAILED);
    assert.match(stdout, /the program failed: /);
  });

  it('keeps the program from every network, and its text from the terminal', async () => {
    const { code, stdout } = await build(`
      #include <arpa/inet.h>
      #include <stdio.h>
      #include <errno.h>
      int main(void) {
        struct sockaddr_in to = { AF_INET, htons(80), { inet_addr("10.0.0.1") } };
        int s = socket(AF_INET, SOCK_STREAM, 0);
        int failed = connect(s, (struct sockaddr *)&to, sizeof to) != 0;
        printf("\\033]0;mine\\007connected: %d\\n", !failed);
        return 0;
      }`);
    assert.equal(code, COMPILED, stdout);
    assert.match(stdout, /\\u\{1b\}\]0;mine\\u\{7\}connected: 0/);
    assert(!stdout.includes('\x1b'), 'a key for the terminal came through');
  });
});
