import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listJails } from 'dragonfly-jail';
import { sleep } from '../support/environment.js';
import { Example, leaveNothing, runExample } from '../support/example.js';

const AT_ONCE = 3;

describe('the job runner', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dfjail-test-jobs-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  leaveNothing();

  function commands(text: string): string {
    const file = join(folder, 'commands.txt');
    writeFileSync(file, text);
    return file;
  }

  it('runs a hundred jobs, each in a jail of its own, and shows what came of each', async () => {
    const { code, stdout, stderr } = await runExample('job-runner');
    assert.equal(code, 1, `some of its jobs fail: ${stdout}${stderr}`);
    const rows = stdout.split('\n').filter((line) => /^ *\d+ {2}/.test(line));
    assert.equal(rows.length, 100);
    assert.match(rows[0] ?? '', /^ {2}1 {2}exit 0 .* MiB {2}0 on job-1$/);
    assert.match(rows[9] ?? '', /^ 10 {2}exit 3 .* MiB {2}cannot do 9$/);
    assert.match(rows[98] ?? '', /^ 99 {2}exit 0 .* MiB {2}9604 on job-99$/);
    assert.match(stdout, /\n100 jobs in .*: 10 failed\n$/);
  });

  it('has no more jails at a time than it was told', async () => {
    const before = new Set(listJails().map(({ jid }) => jid));
    const file = commands('sleep 0.05\n'.repeat(20));
    await using runner = new Example('job-runner', [file], { AT_ONCE: `${AT_ONCE}` });
    let most = 0;
    let ended = false;
    void runner.ended.then(() => {
      ended = true;
    });
    while (!ended) {
      most = Math.max(
        most,
        listJails().filter(({ jid, hostname }) => !before.has(jid) && hostname.startsWith('job-'))
          .length,
      );
      await sleep(1);
    }
    assert(most > 1 && most <= AT_ONCE, `${most} at a time`);
  });

  it('runs the commands of a file; one that does not end is ended, with what it has started', async () => {
    const file = commands('# my jobs\necho good\n\nsleep 1000 & sleep 1000\nkill -9 $$\n');
    const { code, stdout } = await runExample('job-runner', [file]);
    assert.equal(code, 1);
    const rows = stdout.split('\n').slice(1, 4);
    assert.match(rows[0] ?? '', /^ {2}1 {2}exit 0 .*good$/);
    assert.match(rows[1] ?? '', /^ {2}2 {2}too slow .*sleep 1000$/);
    assert.match(rows[2] ?? '', /^ {2}3 {2}SIGKILL /);
    assert.match(stdout, /3 jobs .*: 2 failed\n$/);
  });
});
