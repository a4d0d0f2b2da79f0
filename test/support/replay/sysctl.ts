import assert from 'node:assert/strict';
import { decodeInt, encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import {
  KernelError,
  type ModelKernel,
  type ModelProcess,
} from '#internal/backends/model/index.js';
import { attempt, attemptDone, endChild, jailBy, listAgrees, type Row } from '../recordings.js';
import { furnished, jailedChild } from './lists.js';
import { Replay } from './replay.js';

/** What was in the recorder's buffer beforehand. */
const UNTOUCHED = -77;
const ACCESS = /^(.+?): (read|write) ([\w.]+?)(?:=(-?\d+))?$/;

/** The group `sysctl`: the jail tree, from the host, from users and from jails. */
export function replaySysctl(): Replay {
  const replay = new Replay('sysctl');
  const { kernel, recorder } = furnished();
  const world = new World(replay, kernel, recorder);
  world.replayWalk(recorder);
  replay.check('kern.prison', () =>
    attemptDone(() => recorder.sysctl('kern.prison', { room: null })),
  );
  world.replayAccesses();
  const first = jailedChild(recorder, 'sys');
  world.replayWalk(recorder);
  world.replayAccesses();
  replaySizes(replay, recorder);
  world.replayAccesses();
  endChild(recorder, first);
  world.replayAccesses();
  world.replayWalk(recorder);
  world.replayAccesses();
  replayInside(replay, world, recorder);
  return replay;
}

class World {
  readonly replay: Replay;
  readonly #kernel: ModelKernel;
  readonly #recorder: ModelProcess;
  readonly #actors = new Map<string, ModelProcess>();
  #newest: ModelProcess | null = null;

  constructor(replay: Replay, kernel: ModelKernel, recorder: ModelProcess) {
    this.replay = replay;
    this.#kernel = kernel;
    this.#recorder = recorder;
    const user = recorder.fork();
    user.setuid(1001);
    this.#actors.set('host uid1001', user);
    this.#actors.set('host root', recorder);
    this.#actors.set('host root after jail gone', recorder);
  }

  actor(name: string, process: ModelProcess): void {
    this.#actors.set(name, process);
  }

  /** All nodes, and their number. */
  replayWalk(reader: ModelProcess): void {
    const nodes = this.#kernel.sysctlNodes('jail');
    for (const { name, oid, leaf } of nodes) {
      this.replay.check(
        name,
        () => attemptDone(() => reader.sysctlMib(oid)),
        (row) => {
          const value = reader.sysctlMib(oid).bytes;
          const kind = `0x${leaf.kind.toString(16)}`;
          const { format, description } = leaf;
          const shown = [oid.join('.'), kind, leaf.kind & 0xf, format, description, value.length];
          assert.deepEqual(shown, [row.oid, row.kind, row.type, row.fmt, row.descr, row.len], name);
          assert.equal(Buffer.from(value).toString('hex'), row.value_hex, name);
        },
      );
    }
    this.replay.check('jail', () => attempt(() => nodes.length));
  }

  /** Reads and writes, as long as the next cases are some that somebody known makes. */
  replayAccesses(): void {
    for (let row = this.replay.peek(); row !== null; row = this.replay.peek()) {
      const [, who = '', access, node = '', value] = ACCESS.exec(row.case) ?? [];
      const process = this.#actorFor(who, node);
      if (process === null) return;
      if (access === 'read') this.#replayRead(row, process, node);
      else this.#replayWrite(row, process, node, Number(value));
    }
  }

  // The new jails of the recording: one for each default that was changed.
  #actorFor(who: string, node: string): ModelProcess | null {
    if (!who.startsWith('new jail with default')) {
      if (who === 'host root after jail gone' && this.#kernel.jails.length > 0) return null;
      this.#endNewest();
      return this.#actors.get(who) ?? null;
    }
    const jid = Number(node.split('.')[1]);
    if (this.#newest?.jid !== jid) {
      this.#endNewest();
      this.#newest = jailedChild(this.#recorder, 'sys');
      assert.equal(this.#newest.jid, jid);
    }
    return this.#recorder;
  }

  #endNewest(): void {
    if (this.#newest !== null) endChild(this.#recorder, this.#newest);
    this.#newest = null;
  }

  #replayRead(row: Row, process: ModelProcess, node: string): void {
    let value = UNTOUCHED;
    this.replay.check(
      row.case,
      () =>
        attemptDone(() => {
          value = decodeInt(process.sysctl(node, { room: 4 }).bytes);
        }),
      () => assert.deepEqual([value, 4], [row.value, row.len], row.case),
    );
  }

  #replayWrite(row: Row, process: ModelProcess, node: string, value: number): void {
    let old = UNTOUCHED;
    this.replay.check(
      row.case,
      () =>
        attemptDone(() => {
          old = decodeInt(process.sysctl(node, { room: 4, value: encodeInt(value) }).bytes);
        }),
      () => {
        const readback = decodeInt(process.sysctl(node).bytes);
        const shown = [old, 4, 0, readback];
        const { oldlen, readback_ret } = row;
        assert.deepEqual(shown, [row.old, oldlen, readback_ret, row.readback], row.case);
      },
    );
  }
}

const NODE = 'jail.1.sys_sysvipc';

function replaySizes(replay: Replay, recorder: ModelProcess): void {
  for (const size of [8, 2, 0]) {
    const value = new Uint8Array(size);
    if (size > 0) value[0] = 1;
    replay.check(`write ${size} bytes`, () => attemptDone(() => recorder.sysctl(NODE, { value })));
  }
  replay.check(
    'host root: read jail.1.sys_sysvipc',
    () => attemptDone(() => recorder.sysctl(NODE)),
    (row) => assert.equal(decodeInt(recorder.sysctl(NODE).bytes), row.value),
  );
  const wide = new Uint8Array(8).fill(0xff);
  replay.check(
    'read into 8 byte buffer',
    () => attemptDone(() => wide.set(recorder.sysctl(NODE, { room: 8 }).bytes)),
    (row) => assert.equal(Buffer.from(wide).reverse().toString('hex'), row.v),
  );
  let partial: Uint8Array | null = null;
  replay.check(
    'read into 2 byte buffer',
    () =>
      attempt(() => {
        try {
          recorder.sysctl(NODE, { room: 2 });
        } catch (error) {
          if (error instanceof KernelError) partial = error.partial;
          throw error;
        }
      }),
    (row) => assert.deepEqual([...(partial ?? [])], [row.v, 0]),
  );
}

function replayInside(replay: Replay, world: World, recorder: ModelProcess): void {
  const inside = recorder.fork();
  replay.check('inside jail', () => attempt(() => jailBy(inside, 'sys')));
  world.actor('inside root', inside);
  world.replayWalk(inside);
  replay.check(
    'inside',
    () => attemptDone(() => inside.sysctl('jail.list')),
    (row) => listAgrees(row, inside),
  );
  world.replayAccesses();
  const user = inside.fork();
  user.setuid(1001);
  world.actor('inside uid1001', user);
  world.replayAccesses();
  replay.checkList('inside uid1001', user);
}
