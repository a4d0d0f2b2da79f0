import assert from 'node:assert/strict';
import type { JailSpec } from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { packageUrl, skip, skipOnModel } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { type Part, traced, whyNotTraced } from '../support/strace.js';

// How many system calls there may be, which neither a clock nor a busy machine changes; behind each what there are today,
// with what a waiting program may find ready or not.
const BUDGET = {
  create: 520, // 493 to 510, the start of the monitor among them
  spawn: 72, // 64 to 67
  spawnInNode: 12, // 5 to 8
  process: 13, // 12.15: two files and its owner, its children, and its pid inside, before and after
  stop: 60, // 48, 54 where the link has to be deleted
};

const CROWD = 20;

const program = (specs: { jail: JailSpec; other: JailSpec }) => `
  import { once } from 'node:events';
  import { Jail } from ${JSON.stringify(packageUrl)};
  const specs = ${JSON.stringify(specs)};
  const silent = { stdio: 'ignore' };
  const run = (jail) => jail.spawn('/bin/true', [], silent).exited;
  const warm = await Jail.create(specs.other);
  await run(warm);
  warm.processes();
  mark();
  const jail = await Jail.create(specs.jail);
  mark();
  await run(jail);
  mark();
  await run(jail);
  mark();
  jail.processes();
  mark();
  const crowd = Array.from({ length: ${CROWD} }, () => jail.spawn('sleep', ['60'], silent));
  await Promise.all(crowd.map((one) => once(one, 'spawn')));
  mark();
  jail.processes();
  mark();
  await Promise.all(crowd.map((one) => (one.kill('SIGKILL'), one.exited)));
  mark();
  await jail.stop();
  mark();
  await warm.stop();`;

function within(what: string, calls: readonly string[], most: number): void {
  assert(calls.length > 0, `no calls of ${what} were seen`);
  const told = `${what}: ${calls.length} system calls, more than ${most}`;
  assert(calls.length <= most, `${told}:\n${calls.join('\n')}`);
}

describe('the system calls', function () {
  this.timeout(60_000);
  const jails = useJails();
  let parts: Part[];

  before(async function () {
    skipOnModel(this, 'it has a kernel of its own');
    const reason = await whyNotTraced();
    if (reason !== null) skip(this, reason);
    const addresses = () => [nextIPv4(), nextIPv4(), nextIPv6(), nextIPv6()];
    const made = {
      jail: jails.spec({ addresses: addresses() }),
      other: jails.spec({ addresses: addresses() }),
    };
    parts = await traced(program(made));
  });

  it('of making a jail, with four addresses, are counted', () => {
    within('create', parts[0]?.monitor ?? [], BUDGET.create);
  });

  it('of the monitor for a command are counted', () => {
    within('a command', parts[2]?.monitor ?? [], BUDGET.spawn);
  });

  it('of Node for a command are counted', () => {
    within('a command, in Node', parts[2]?.node ?? [], BUDGET.spawnInNode);
  });

  it('of a listed process are counted', () => {
    const few = parts[3]?.node.length ?? 0;
    const many = parts[5]?.node ?? [];
    assert(few > 0);
    const each = (many.length - few) / CROWD;
    assert(each > 0 && each <= BUDGET.process, `${each} a process:\n${many.join('\n')}`);
  });

  it('of ending a jail are counted', () => {
    // How often it looks whether the kernel has taken the link away is a matter of time.
    const calls = parts[7]?.monitor ?? [];
    within(
      'stop',
      calls.filter((call) => !/SIOCGIFINDEX|nanosleep/.test(call)),
      BUDGET.stop,
    );
  });
});
