import assert from 'node:assert/strict';
import { decodeInt, encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import {
  KernelError,
  type ModelKernel,
  type ModelProcess,
} from '#internal/backends/model/index.js';
import { attempt, attemptDone, endChild, jailBy } from '../recordings.js';
import { furnished, jailedChild } from './lists.js';
import type { Replay } from './replay.js';

/** What was in the recorder's buffer beforehand. */
const UNTOUCHED = -77;

/** The group `sysctl`: the jail tree, from the host, from users and from jails. */
export function replaySysctl(replay: Replay): void {
  const { kernel, recorder } = furnished();
  const world = new World(replay, kernel);
  const root = { name: 'host root', process: recorder };
  const user = { name: 'host uid1001', process: recorder.fork() };
  user.process.setuid(1001);
  world.replayWalk(recorder);
  replay.check('kern.prison', () =>
    attemptDone(() => recorder.sysctl('kern.prison', { room: null })),
  );
  world.read(root, 'jail.jailed');
  world.write(root, 'jail.jailed', 1);
  const first = jailedChild(recorder, 'sys');
  const nodes = world.nodesOf(first.jid);
  world.replayWalk(recorder);
  for (const node of nodes) {
    world.read(root, node);
    for (const value of [1, 2, -1, 0]) world.write(root, node, value);
  }
  replaySizes(replay, recorder, `jail.${first.jid}.sys_sysvipc`);
  for (const node of [`jail.${first.jid}`, 'jail.99999', 'jail.0', 'jail.defaults', 'jail']) {
    world.read(root, node);
  }
  world.visit(user, [...nodes, ...world.defaults], 1);
  endChild(recorder, first);
  for (const node of nodes) world.read({ ...root, name: 'host root after jail gone' }, node);
  world.replayWalk(recorder);
  for (const node of world.defaults) world.replayDefault(root, node);
  replayInside(replay, world, recorder);
}

/** Who reads and writes. */
interface Actor {
  readonly name: string;
  readonly process: ModelProcess;
}

class World {
  readonly replay: Replay;
  readonly #kernel: ModelKernel;

  constructor(replay: Replay, kernel: ModelKernel) {
    this.replay = replay;
    this.#kernel = kernel;
  }

  /** The switches for new jails, in the order in which they were declared. */
  get defaults(): string[] {
    return this.#names('jail.defaults').reverse();
  }

  nodesOf(jid: number): string[] {
    return this.#names(`jail.${jid}`);
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
          const shown = [oid.join('.'), kind, leaf.kind & 0xf, format, description];
          assert.deepEqual(shown, [row.oid, row.kind, row.type, row.fmt, row.descr], name);
          if (name === 'jail.list') this.#sameList(value, String(row.value_hex), name);
          else assert.equal(Buffer.from(value).toString('hex'), row.value_hex, name);
        },
      );
    }
    this.replay.check('jail', () => attempt(() => nodes.length));
  }

  // Byte for byte but for the number of the jail.
  #sameList(ours: Uint8Array, recordedHex: string, where: string): void {
    const texts = [Buffer.from(ours), Buffer.from(recordedHex, 'hex')].map(String);
    const [list, recorded] = texts.map((text) => /^(\d*)(.*)$/s.exec(text) ?? []);
    if (list?.[1] !== '') this.replay.numbers.same('jid', recorded?.[1], list?.[1], where);
    assert.equal(list?.[2], recorded?.[2], where);
  }

  read({ name, process }: Actor, node: string): void {
    let value = UNTOUCHED;
    this.replay.check(
      `${name}: read ${node}`,
      () =>
        attemptDone(() => {
          value = decodeInt(process.sysctl(node, { room: 4 }).bytes);
        }),
      (row) => assert.deepEqual([value, 4], [row.value, row.len], row.case),
    );
  }

  write({ name, process }: Actor, node: string, value: number): void {
    let old = UNTOUCHED;
    this.replay.check(
      `${name}: write ${node}=${value}`,
      () =>
        attemptDone(() => {
          old = decodeInt(process.sysctl(node, { room: 4, value: encodeInt(value) }).bytes);
        }),
      (row) => {
        const readback = decodeInt(process.sysctl(node).bytes);
        const { oldlen, readback_ret } = row;
        assert.deepEqual([old, 4, 0, readback], [row.old, oldlen, readback_ret, row.readback]);
      },
    );
  }

  /** Whatever somebody who may change nothing tries. */
  visit(actor: Actor, nodes: readonly string[], value: number): void {
    for (const node of nodes) this.read(actor, node);
    for (const node of nodes) this.write(actor, node, value);
  }

  /** A switch, and a jail that is made while it is on. */
  replayDefault(root: Actor, node: string): void {
    const name = node.slice('jail.defaults.'.length);
    this.write(root, node, 1);
    const made = jailedChild(root.process, 'sys');
    const reader = { ...root, name: `new jail with default ${name}=1` };
    for (const own of this.nodesOf(made.jid)) this.read(reader, own);
    endChild(root.process, made);
    this.write(root, node, 0);
  }

  #names(prefix: string): string[] {
    return this.#kernel.sysctlNodes(prefix).map(({ name }) => name);
  }
}

function replaySizes(replay: Replay, recorder: ModelProcess, node: string): void {
  for (const size of [8, 2, 0]) {
    const value = new Uint8Array(size);
    if (size > 0) value[0] = 1;
    replay.check(`write ${size} bytes`, () => attemptDone(() => recorder.sysctl(node, { value })));
  }
  replay.check(
    `host root: read ${node}`,
    () => attemptDone(() => recorder.sysctl(node)),
    (row) => assert.equal(decodeInt(recorder.sysctl(node).bytes), row.value),
  );
  const wide = new Uint8Array(8).fill(0xff);
  replay.check(
    'read into 8 byte buffer',
    () => attemptDone(() => wide.set(recorder.sysctl(node, { room: 8 }).bytes)),
    (row) => assert.equal(Buffer.from(wide).reverse().toString('hex'), row.v),
  );
  let partial: Uint8Array | null = null;
  replay.check(
    'read into 2 byte buffer',
    () =>
      attempt(() => {
        try {
          recorder.sysctl(node, { room: 2 });
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
  const root = { name: 'inside root', process: inside };
  const nodes = [...world.nodesOf(inside.jid), ...world.defaults];
  world.replayWalk(inside);
  replay.check(
    'inside',
    () => attemptDone(() => inside.sysctl('jail.list')),
    (row) => replay.listAgrees(row, inside),
  );
  world.read(root, 'jail.jailed');
  world.write(root, 'jail.jailed', 0);
  world.visit(root, nodes, 1);
  const user = { name: 'inside uid1001', process: inside.fork() };
  user.process.setuid(1001);
  world.visit(user, ['jail.jailed', ...nodes], 1);
  replay.checkList('inside uid1001', user.process);
}
