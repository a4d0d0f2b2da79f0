import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { JailSpec } from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { isRoot, patience } from '../support/environment.js';
import { type Call, injectorFolder } from '../support/injector.js';
import { useJails } from '../support/jails.js';
import { byLength } from '../support/length.js';
import { Program } from '../support/programs.js';
import type { Kind, Life, Order } from './lives.js';

// Every system call that the monitor makes in the life of a jail, and its children until their exec, fails once, by
// itself. The API either succeeds all the same or says what failed, in time, and nothing is left.

const ERRNOS = byLength(['EIO'], ['EIO', 'ENOMEM', 'EINTR', 'EAGAIN']);
const SAMPLE = byLength(24, 1);
// Which calls, by a regular expression: `DFJAIL_TEST_CALLS='^(flock|setns)$'`.
const CALLS = process.env.DFJAIL_TEST_CALLS ?? '';
const LIVES = new URL('./lives.js', import.meta.url).href;
const TITLES: Record<Kind, string> = {
  owned: 'a jail that is made, used and stopped',
  persistent: 'one that may outlive its maker',
  guest: 'one that somebody else has made',
};

/** What the API says instead of the error itself, where that is no lie. */
const OTHER_CODES = new Set([
  'ERR_JAIL_MONITOR_LOST', // the monitor could not go on
  'ERR_JAIL_STOPPED', // what follows then
  'ERR_JAIL_NOT_FOUND', // the registry could not be read
  'ERR_JAIL_UNSUPPORTED', // of control groups, and file systems that cannot be mapped
  'ERR_JAIL_UNKNOWN_USER', // the jail's password file could not be read
  'ECHILD', // a child has ended without a word
]);

/** Calls of taking back: where one of them fails, recover() may have to finish. */
const UNDOING =
  /^(unlink|unlinkat|readlinkat|rmdir|sendto|sendmsg|recvmsg|recvfrom|socket|bind|openat|flock|setns)$/;

describe('a system call that fails', () => {
  const jails = useJails();
  const first = Number(process.env.DFJAIL_TEST_SEED ?? randomInt(SAMPLE));
  let folder: string;

  before(function () {
    folder = injectorFolder(this, join(jails.root.outside, 'native'));
  });

  for (const kind of ['owned', 'persistent', 'guest'] as const) {
    it(`in ${TITLES[kind]}: nobody waits in vain, errors say what it was, nothing is left`, async function () {
      this.timeout(patience(byLength(120_000, 3_600_000)));
      const outside = jails.root.outside;
      const order = { folder, spec: spec(), outside, kind, errnos: ERRNOS, only: CALLS };
      const { calls, lives } = await liveThrough({ ...order, every: SAMPLE, first });
      const reported = lives.filter(({ errors }) => errors.length > 0).length;
      const hit = lives.filter((life) => life.hit).length;
      console.log(
        `      ${calls.length} calls; of every ${SAMPLE}, call ${first} failed with ${ERRNOS}: ${hit} failures, ${reported} of them told, the others overcome`,
      );
      const complained = lives.flatMap(complaints);
      for (const complaint of complained) console.log(`      ${complaint}`);
      assert.deepEqual(complained, []);
      assert(calls.length > 50 && hit > 0 && (reported > 0 || CALLS !== ''));
    });
  }

  function spec(): JailSpec {
    const limits = isRoot ? { nofile: 64, processes: 50 } : { nofile: 64 };
    return jails.spec({ name: 'faulty', addresses: [nextIPv4(), nextIPv6()], limits });
  }
});

async function liveThrough(order: Order): Promise<{ calls: Call[]; lives: Life[] }> {
  const source = `
    import { live } from ${JSON.stringify(LIVES)};
    await live(${JSON.stringify(order)}, say);`;
  const env = { DRAGONFLY_JAIL_NATIVE: order.folder };
  await using program = new Program(source, order.spec, { env, quiet: true });
  const { calls } = await program.next<{ calls: Call[] }>();
  const lives = (await program.rest()).map((line) => JSON.parse(line) as Life);
  assert.equal((await program.ended).code, 0, 'the program that lives these lives has ended badly');
  return { calls, lives };
}

function complaints(life: Life): string[] {
  const { fault, errno } = life;
  const what =
    fault === null ? 'no fault' : `${errno} of ${fault.name} #${fault.nth} of task ${fault.task}`;
  return [...wrongEnd(life), ...life.errors.flatMap((error) => wrongError(life, error))].map(
    (complaint) => `${what}: ${complaint}`,
  );
}

function wrongEnd({ fault, hung, left, errors, recovered, unrecovered }: Life): string[] {
  const found: string[] = unrecovered.map((text) => `recover() failed: ${text}`);
  if (hung !== null) found.push(`${hung} hangs`);
  if (left !== null) found.push(`left: ${left}`);
  const lost = errors.some(({ code }) => code === 'ERR_JAIL_MONITOR_LOST');
  const mayRecover = lost || (fault !== null && UNDOING.test(fault.name));
  if (recovered.length > 0 && !mayRecover) found.push(`recover() was needed: ${recovered}`);
  return found;
}

// malloc(3) knows one error only; and in a jail without memory clone(2) says what it says in one that is ending.
function expected(call: string, errno: string, where: string): string {
  if (call === 'clone' && errno === 'ENOMEM' && where !== 'create') return 'ESRCH';
  return call === 'mmap' || call === 'brk' ? 'ENOMEM' : errno;
}

function wrongError({ fault, errno }: Life, error: Life['errors'][number]): string[] {
  if (fault === null || !error.typed) return [`${error.where}: ${error.message}`];
  if (OTHER_CODES.has(error.code)) return [];
  const right =
    expected(fault.name, errno, error.where) === error.code &&
    error.syscall !== null &&
    error.step !== null;
  return right ? [] : [`${error.where} says ${error.message}`];
}
