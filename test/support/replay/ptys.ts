import assert from 'node:assert/strict';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, bootRecorder, jailBy } from '../recordings.js';
import { replayLook, replayWait } from './look.js';
import type { Replay } from './replay.js';

const { SIGKILL = 9 } = layout59.signals;
const ROOT = '/tmp/rec';
const NO_WAITING = 'close(2) of the model does not wait: it says that it would, by a KernelHang';
const NO_INPUT =
  'what is typed, who may open a terminal and whose session it is are not modelled here';

/** How somebody makes an end of the waiting. */
type Ending = 'read' | 'close' | 'revoke';

/** The group `ptys`: what becomes of output that nobody has read, and of who wrote it. */
export function replayPtys(replay: Replay): void {
  const recorder = bootRecorder(new ModelKernel());
  for (const path of ['/tmp', ROOT, '/proc']) recorder.create(path, 'directory');
  recorder.mount('procfs', '/proc');
  new Terminal(replay, recorder, 'ends unread, read', 1000).run('read');
  new Terminal(replay, recorder, 'ends unread, master closed', 1000).run('close');
  new Terminal(replay, recorder, 'ends unread, revoked', 1000).run('revoke');
  new Terminal(replay, recorder, 'ends with nothing unread', 0).run('read');
  new Terminal(replay, recorder, 'closes unread, read', 1000).close();
  replayRoom(replay, recorder);
  replayEnds(replay, recorder);
}

class Terminal {
  readonly #replay: Replay;
  readonly #name: string;
  readonly #me: ModelProcess;
  readonly #writer: ModelProcess;
  readonly #master: number;
  readonly #slave: number;
  readonly #path: string;

  constructor(replay: Replay, me: ModelProcess, name: string, bytes: number) {
    this.#replay = replay;
    this.#me = me;
    this.#name = name;
    const { master, slave, name: path } = me.openpty();
    this.#writer = me.fork();
    me.close(slave);
    this.#writer.close(master);
    this.#master = master;
    this.#slave = slave;
    this.#path = path;
    replay.check(`${name}: jail`, () => attempt(() => jailBy(this.#writer, 'pty', ROOT)));
    replay.check(`${name}: write`, () => attempt(() => this.#writer.writeTerminal(slave, bytes)));
  }

  run(ending: Ending): void {
    this.#writer.exit(0);
    this.#look('it has the last descriptor, and ends');
    this.#call('kill', () => this.#me.kill(this.#writer.pid, SIGKILL));
    this.#look('killed');
    this.#list('list');
    this.#make(ending);
    this.#look('after that');
    if (ending === 'revoke') {
      this.#read('the master reads');
      this.#look('at last');
    }
    replayWait(this.#replay, `${this.#name}: wait`, () => this.#me.wait(this.#writer.pid));
    if (ending !== 'close') {
      this.#read('the master reads when the slave is closed');
      this.#me.close(this.#master);
    }
    this.#list('list then');
  }

  /** By close(2), not by its end. */
  close(): void {
    assert.throws(() => this.#writer.close(this.#slave), { name: 'KernelHang' });
    for (const { case: name } of this.#replay.left) {
      if (name.startsWith(`${this.#name}: `)) this.#replay.skip(name, NO_WAITING);
    }
    this.#me.close(this.#master);
    this.#writer.exit(0);
    this.#me.wait(this.#writer.pid);
  }

  #make(ending: Ending): void {
    if (ending === 'read') this.#read('the master reads');
    else if (ending === 'close') {
      this.#call('the master is closed', () => this.#me.close(this.#master));
    } else this.#call('revoke', () => this.#me.revoke(this.#path));
  }

  #read(what: string): void {
    this.#replay.check(`${this.#name}: ${what}`, () =>
      attempt(() => this.#me.readTerminal(this.#master)),
    );
  }

  #look(what: string): void {
    const roles = { me: this.#me, tracer: null };
    replayLook(this.#replay, `${this.#name}: ${what}`, this.#writer, roles);
  }

  #list(what: string): void {
    this.#replay.checkList(`${this.#name}: ${what}`, this.#me);
  }

  #call(what: string, call: () => unknown): void {
    this.#replay.check(`${this.#name}: ${what}`, () => attemptDone(call));
  }
}

function replayRoom(replay: Replay, me: ModelProcess): void {
  const { master, slave } = me.openpty();
  let left = 0;
  const write = (name: string, length: number) => {
    replay.check(name, () =>
      attempt(() => {
        const written = me.writeTerminal(slave, length);
        left += written;
        return written;
      }),
    );
  };
  const read = (name: string, room: number) => {
    replay.check(name, () =>
      attempt(() => {
        const length = me.readTerminal(master, room);
        left -= length;
        return length;
      }),
    );
  };
  write('room: write of 65536', 65_536);
  write('room: write of 1 more', 1);
  for (let round = 0; round < 2; round++) read('room: read of 4096', 4096);
  replay.check('room: left', () => attempt(() => left));
  me.writeTerminal(slave, 100);
  read('room: read of 10 of 100', 10);
  replay.skip('room: the master writes 65536', NO_INPUT);
  me.close(master);
  me.close(slave);
}

function replayEnds(replay: Replay, me: ModelProcess): void {
  const read = (name: string, fd: number) =>
    replay.check(name, () => attempt(() => me.readTerminal(fd)));
  const write = (name: string, fd: number) =>
    replay.check(name, () => attempt(() => me.writeTerminal(fd, 1)));
  const first = me.openpty();
  me.close(first.slave);
  read('slave closed: the master reads', first.master);
  const second = me.openpty();
  me.close(second.master);
  write('master closed: the slave writes', second.slave);
  const third = me.openpty();
  replay.check('revoked: revoke', () => attemptDone(() => me.revoke(third.name)));
  write('revoked: the slave writes', third.slave);
  read('revoked: the master reads', third.master);
  for (const { case: name } of replay.left) {
    if (INPUT.test(name)) replay.skip(name, NO_INPUT);
  }
}

const INPUT =
  /^(slave closed: (the master writes|opened again)|master closed: the slave reads|revoked: (the slave reads|opened again)|jail: .*|session: .*)$/;
