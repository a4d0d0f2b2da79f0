import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findJails, Jail, type JailInfo, listJails, listProcesses } from 'dragonfly-jail';

import { runDfjail, temporaryRoots } from '../support/cli-process.js';
import { eventually, patience, skip, skipOnModel } from '../support/environment.js';

import { hostProcesses } from '../support/host.js';
import { Snapshot } from '../support/leaks.js';
import { system } from '../support/system/index.js';
import { Terminal, whyNoTerminal } from '../support/terminal/index.js';

const TEST_TIMEOUT = patience(60_000);

describe('dfjail in a real terminal', function () {
  this.timeout(TEST_TIMEOUT);
  let folder: string;
  let env: Record<string, string>;
  let earlier: Snapshot;
  let terminal: Terminal;
  let settings: string;

  before(function () {
    skipOnModel(this, 'dfjail is another program');
    const reason = whyNoTerminal();
    if (reason !== null) skip(this, reason);
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dfjail-tty-'));
    env = { TMPDIR: folder };
    earlier = new Snapshot(folder);
    terminal = await Terminal.open(env);
    settings = await terminal.settings();
    assert.match(await terminal.ask('stty -a | grep -ow "[-]*icanon"'), /^icanon$/);
  });
  afterEach(async () => {
    for (const { path, jid } of listJails()) {
      if (path.startsWith(folder)) await (await Jail.open(jid)).stop({ graceMs: 0 });
    }
    await terminal[Symbol.asyncDispose]();
    await earlier.assertNothingLeft();
    await rm(folder, { recursive: true, force: true });
  });

  /** The terminal is as it was, and the shell takes commands. */
  async function assertTerminalIsBack(): Promise<void> {
    assert.equal(await terminal.settings(), settings);
  }

  async function detach(name: string, ...command: string[]): Promise<JailInfo> {
    const { code, stderr } = await runDfjail(['run', '-d', '-n', name, ...command], { env });
    assert.equal(code, 0, stderr);
    const jail = findJails({ hostname: name }).find((each) => each.name === name);
    assert.ok(jail !== undefined);
    return jail;
  }

  /** The pid of the program that was started with these words. */
  async function programOf(words: string): Promise<number> {
    let pid: number | undefined;
    await eventually(() => {
      const found = hostProcesses().find(({ pid: each, ended }) => {
        if (ended) return false;
        const args = system.argumentsOf(each) ?? '';
        return args.includes('cli/main.js') && args.includes(words);
      });
      assert.ok(found !== undefined, 'dfjail runs');
      pid = found.pid;
    });
    return pid ?? 0;
  }

  /** Does a sleep(1) run in the jail of that name? */
  function hasSleep(name: string): boolean {
    const jid = findJails({ hostname: name }).find((each) => each.name === name)?.jid;
    return listProcesses().some(({ jid: each, command }) => each === jid && command === 'sleep');
  }

  it('run is a shell with keys, colours and the size of the window', async () => {
    await terminal.type('clear; $D run -n tty_run -e PS1="in# "');
    await terminal.shows(/^in# $/m);
    await terminal.type('stty size; echo $TERM');
    await terminal.shows(/^30 100\n(tmux|screen|xterm)/m);
    await terminal.resize(73, 21);
    await terminal.type('stty size');
    await terminal.shows(/^21 73$/m);
    await terminal.type("printf '\\033[31mred\\033[0m\\n'");
    await terminal.shows(/\x1b\[31mred/, { colours: true });
    await terminal.type('cat');
    await terminal.press('a', 'BSpace', 'b', 'Enter', 'C-d');
    await terminal.shows(/^b\nb\nin# $/m);
    await terminal.type('exit 5');
    await terminal.shows(/^ready> $/m);
    await terminal.type('echo "code $?"');
    await terminal.shows(/^code 5$/m);
    await assertTerminalIsBack();
  });

  it('Ctrl-C reaches the command of run, which ends with it', async () => {
    await terminal.type('clear; $D run sh -c "echo started; exec sleep 100"; echo "code $?"');
    await terminal.shows(/^started$/m);
    await terminal.press('C-c');
    await terminal.shows(/code 130$/m);
    await assertTerminalIsBack();
  });

  it('Ctrl-C reaches it and what it has started, with output to a file too', async () => {
    const out = join(folder, 'out');
    await terminal.type(
      `clear; $D run -n tty_out sh -c "echo started; sleep 100; exit 3" > ${out}; echo "code $?"`,
    );
    await eventually(() => assert.equal(readFileSync(out, 'utf8'), 'started\n'), 10_000);
    // A shell that is starting a command when the signal comes waits until that has ended.
    await eventually(() => assert.ok(hasSleep('tty_out')), 10_000);
    await terminal.press('C-c');
    await terminal.shows(/code 130$/m);
    await assertTerminalIsBack();
  });

  it('Ctrl-C reaches them also before dfjail has heard that the command runs', async () => {
    const hook = `process.on('newListener', (name) => {
      if (name !== 'SIGCONT') return; // the last that is listened to; then the command is asked for
      process.nextTick(() => {
        process.emit('SIGINT', 'SIGINT');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
      });
    })`;
    await writeFile(join(folder, 'hook.mjs'), hook);
    const command = "trap 'echo told' INT; sleep 100; echo slept \\$?; exit 3";
    await terminal.type(
      `clear; NODE_OPTIONS="--import $TMPDIR/hook.mjs" $D run -T sh -c "${command}"; echo "code $?"`,
    );
    await terminal.shows(/^told\nslept 130\ncode 3$/m);
    await assertTerminalIsBack();
  });

  it('a command in exec can have the whole screen, with job control', async () => {
    const jail = await Jail.open((await detach('tty_exec')).jid);
    await terminal.type('clear; $D exec -e PS1="in# " tty_exec sh -i');
    await terminal.shows(/^in# $/m);
    await terminal.type('sleep 100');
    await eventually(() => assert.ok(hasSleep('tty_exec')), 10_000);
    await terminal.press('C-z');
    await terminal.shows(/Stopped|stopped/);
    // wait does not wait for a job that is stopped, and a shell with one does not end; fg does.
    await terminal.type('kill -9 %1; fg; tty_size() { stty size; }; tty_size');
    await terminal.shows(/^30 100$/m);
    await terminal.press('C-d');
    await terminal.shows(/^ready> $/m);
    await assertTerminalIsBack();
    await jail.stop();
  });

  it('the terminal is put back when dfjail is told to end, and the command is gone', async () => {
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      const { jid } = await detach(`tty_${signal}`);
      await terminal.type(`clear; $D exec -e PS1="in# " tty_${signal} sh -i; echo "code $?"`);
      await terminal.shows(/^in# $/m);
      process.kill(await programOf(`exec -e PS1=in#  tty_${signal}`), signal);
      await terminal.shows(new RegExp(`code ${code}$`, 'm'));
      await assertTerminalIsBack();
      const jail = await Jail.open(jid);
      await eventually(() => assert.deepEqual(jail.processes(), []));
      await jail.stop();
    }
  });

  it('the terminal is put back when dfjail crashes', async () => {
    const crash = 'data:text/javascript,setTimeout(()=>{throw Error()},1500)';
    await detach('tty_crash');
    await terminal.type(
      `clear; NODE_OPTIONS='--import "${crash}"' $D exec -e PS1="in# " tty_crash sh -i`,
    );
    await terminal.shows(/^in# $/m);
    await terminal.shows(/Error(.*\n)*ready> $/m);
    await assertTerminalIsBack();
  });

  it('closing the terminal ends run and top, and leaves nothing', async () => {
    await terminal.type('clear; $D run -e PS1="in# " sh -i');
    await terminal.shows(/^in# $/m);
    const run = await programOf('run -e PS1=');
    const other = await Terminal.open(env);
    await other.type('clear; $D top');
    await other.shows(/CPU%/);
    const top = await programOf('main.js top');
    await terminal[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    const alive = () =>
      hostProcesses().filter(({ pid, ended }) => !ended && [run, top].includes(pid));
    await eventually(() => assert.deepEqual(alive(), []), 5000);
    await earlier.assertNothingLeft();
    assert.deepEqual(temporaryRoots(folder), []);
  });

  it('the jail does not get the terminal itself', async () => {
    await terminal.type(
      "clear; $D run -T sh -c 'test -t 0 || test -t 1 || test -t 2; echo tty $?'",
    );
    await terminal.shows(/^tty 1$/m);
    await assertTerminalIsBack();
    const { code, stdout } = await runDfjail(['run', '-t', 'sh', '-c', 'test -t 1; echo $?'], {
      env,
    });
    assert.deepEqual([code, stdout], [0, '0\r\n']);
  });

  it('top shows jails, sorts them by keys, and gives the screen back', async () => {
    await detach('tty_idle');
    await detach('tty_busy', 'sh', '-c', 'while :; do :; done');
    await terminal.type('clear; echo before; $D top --interval 200; echo "code $?"');
    await terminal.shows(/\n *[0-9]+ +tty_busy +1 .*\n(.*\n)* *[0-9]+ +tty_idle +0 /);
    await terminal.press('n');
    await terminal.shows(/by name(.*\n)*.*tty_busy.*\n(.*\n)*.*tty_idle/);
    await terminal.press('r');
    await terminal.shows(/by name(.*\n)*.*tty_idle.*\n(.*\n)*.*tty_busy/);
    await terminal.shows(/\x1b\[[0-9;]*7m/, { colours: true });
    await terminal.resize(40, 12);
    // tmux remembers that a line was broken when top had not heard of the new width yet.
    const screen = await terminal.shows(/^.{0,39}…$/m, { whole: false });
    assert.ok(
      screen.split('\n').every((line) => line.length <= 40),
      screen,
    );
    await terminal.press('q');
    await terminal.shows(/^before\n(.*\n)*code 0$/m);
    assert.doesNotMatch(await terminal.screen(), /tty_busy/);
    await assertTerminalIsBack();
  });

  it('top is ended by Ctrl-C and by SIGTERM, with the cursor and the keys as they were', async () => {
    await terminal.type('clear; $D top; echo "code $?"');
    await terminal.shows(/CPU%/);
    await terminal.press('C-c');
    await terminal.shows(/code 130$/m);
    await terminal.type('clear; $D top; echo "code $?"');
    await terminal.shows(/CPU%/);
    process.kill(await programOf('main.js top'), 'SIGTERM');
    await terminal.shows(/code 143$/m);
    await assertTerminalIsBack();
  });

  it('tables fit the window, with colours unless NO_COLOR is set', async () => {
    await detach('tty_table');
    await terminal.resize(60, 20);
    await terminal.type('clear; $D ls');
    const screen = await terminal.shows(/tty_table.*…$/m);
    assert.equal(
      screen
        .trimEnd()
        .split('\n')
        .filter((line) => line.includes('tty_table')).length,
      1,
    );
    await terminal.shows(/\x1b\[[0-9;]*33?m/, { colours: true });
    await terminal.type('clear; NO_COLOR=1 $D ls; echo done');
    await terminal.shows(/^done$/m);
    assert.doesNotMatch(await terminal.screen({ colours: true }), /\x1b\[[0-9;]*3[0-9]m/);
  });
});
