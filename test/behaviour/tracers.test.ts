import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { type Jail, JailSystemError, listJails } from 'dragonfly-jail';
import { ATTACK, attackOutside, compileAttacks } from '../support/attack.js';
import { needRoot, onDragonfly, patience, skipOnModel, within } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';

// Debuggers, of the host and of inmates; and those who stop a jail at the same time.

const DEADLINE = 20_000;

describe('a jail of which somebody traces a process', () => {
  const jails = useJails();
  let jail: Jail;

  before(function () {
    skipOnModel(this, 'nobody is traced there');
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  it('is stopped all the same, or says in time who it is', async function () {
    this.timeout(patience(2 * DEADLINE));
    needRoot(this);
    const command = jail.spawn('sleep', ['1000']);
    command.exited.catch(() => {});
    await once(command, 'spawn');
    const tracer = spawn(attackOutside(jails), ['hold', `${command.pid}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await once(tracer.stdout, 'data');
      const error = await within(
        'stop()',
        DEADLINE,
        jail.stop({ graceMs: 200 }).catch((e) => e),
      );
      if (error === undefined) return; // the kernel lets nobody stand in the way
      assert(error instanceof JailSystemError, String(error));
      const told = `${error.message} ${error.hint}`;
      assert.match(told, new RegExp(`\\b${tracer.pid}\\b`), told);
      assert.match(told, /trace|debug/i);
    } finally {
      tracer.stdin.end();
      await once(tracer, 'close');
    }
    await within('stop()', DEADLINE, jail.stop({ graceMs: 200 }));
    assert(!listJails().some(({ jid }) => jid === jail.jid));
  });

  it('is told how a command ended that an inmate has traced, or that it cannot be known', async () => {
    const command = jail.spawn('sh', ['-c', 'echo ready; sleep 1; exit 7']);
    await once(command.stdout as Readable, 'data');
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    const tracer = jail.spawn(ATTACK, ['adopt', `${command.jailPid}`], { stdio });
    await once(tracer.stdout as Readable, 'data');
    const { exitCode, signal } = await within('its end', DEADLINE, command.exited);
    assert.equal(signal, null, 'nobody has sent one');
    assert(exitCode === 7 || (onDragonfly && exitCode === null), `${exitCode}`);
    await within('stop()', DEADLINE, jail.stop({ graceMs: 200 }));
  });
});

describe('a jail that several stop at once', () => {
  const jails = useJails();

  it('answers each call of one handle', async () => {
    const jail = await jails.create();
    await once(
      jail.spawn('sleep', ['1000']).on('error', () => {}),
      'spawn',
    );
    const stops = [jail.stop({ graceMs: 300 }), jail.stop(), jail.stop({ graceMs: 0 })];
    await within('all of them', DEADLINE, Promise.all(stops));
    assert(!listJails().some(({ jid }) => jid === jail.jid));
  });

  it('answers each program', async () => {
    const jail = await jails.create({ persist: true });
    await once(
      jail.spawn('sh', ['-c', 'trap "" TERM; sleep 1000']).on('error', () => {}),
      'spawn',
    );
    const source = `
      const jail = await Jail.open(${jail.jid});
      say('opened');
      await heard();
      await jail.stop({ graceMs: 300 }).then(() => say('fine'), ({ code }) => say(code));`;
    await using one = new Program(source, jails.spec());
    await using other = new Program(source, jails.spec());
    await Promise.all([one.next(), other.next()]);
    one.tell();
    other.tell();
    const own = jail.stop({ graceMs: 300 });
    const answers = await Promise.all([one.next<string>(), other.next<string>()]);
    await within('our own', DEADLINE, own);
    for (const answer of answers)
      assert.match(answer, /^(fine|ERR_JAIL_(NOT_FOUND|STOPPED|MONITOR_LOST))$/);
    assert(!listJails().some(({ jid }) => jid === jail.jid));
  });
});
