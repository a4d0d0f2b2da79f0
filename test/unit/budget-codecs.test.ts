import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { skip } from '../support/environment.js';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const ROWS = 100;
const TIMES = 5;

// Instructions for a row, of an interpreter that compiles nothing: so the same every time. With what there are today.
const BUDGET = {
  processes: 64_000, // 60,598
  jails: 20_000, // 18,857
};

const program = (times: Record<keyof typeof BUDGET, number>) => `
  import { decoders } from './bench/lib/codecs.mjs';
  const decode = decoders(${ROWS});
  for (const [name, times] of Object.entries(${JSON.stringify(times)})) {
    for (let i = 0; i < times; i++) decode[name]();
  }`;

async function instructions(times: Record<keyof typeof BUDGET, number>): Promise<number> {
  const node = [process.execPath, '--jitless', '--single-threaded', '--predictable'];
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', ...node];
  const module = ['--input-type=module', '-e', program(times)];
  const { stderr } = await promisify(execFile)('valgrind', [...args, ...module], { cwd: PROJECT });
  return Number(/Collected : (\d+)/.exec(stderr)?.[1]);
}

async function isThere(): Promise<boolean> {
  return promisify(execFile)('valgrind', ['--version']).then(
    () => true,
    () => false,
  );
}

describe('the instructions', function () {
  this.timeout(600_000);
  let nothing: number;

  before(async function () {
    if (!(await isThere())) skip(this, 'valgrind is not installed');
    nothing = await instructions({ processes: 0, jails: 0 });
  });

  for (const name of ['processes', 'jails'] as const) {
    it(`of decoding the ${name} that the kernel lists are counted`, async () => {
      const all = await instructions({ processes: 0, jails: 0, [name]: TIMES });
      const each = Math.round((all - nothing) / (ROWS * TIMES));
      assert(each > 0 && each <= BUDGET[name], `${each} a row, more than ${BUDGET[name]}`);
    });
  }
});
