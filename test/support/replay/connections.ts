import assert from 'node:assert/strict';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, bootRecorder, endChild, jailBy, type Row } from '../recordings.js';
import type { Replay } from './replay.js';

const { inet, inet6 } = layout59.families;
const { SIGKILL = 9 } = layout59.signals;
const ROOT = '/tmp/rec';
const SECOND = 1000;
/** The recorder looked four times a second, and its machine was slow. */
const SECONDS_OFF = 2;
const MOST_SECONDS = 700;

/** The group `connections`: which ends of TCP connections keep a jail, and for how long. */
export function replayConnections(replay: Replay): void {
  new Connections(replay).run();
}

/** A jail, and the connection of its own that is looked at. */
interface Scene {
  readonly name: string;
  readonly jail: ModelProcess;
  readonly jid: number;
  local: number;
  remote: number;
}

class Connections {
  readonly #replay: Replay;
  readonly #kernel: ModelKernel;
  readonly #host: ModelProcess;
  #now = 0;

  constructor(replay: Replay) {
    this.#replay = replay;
    this.#kernel = new ModelKernel({ clock: () => this.#now });
    this.#kernel.network.interfaces.get('lo0')?.addresses.push('10.0.0.1', 'fd00::1');
    this.#host = bootRecorder(this.#kernel);
    for (const path of ['/tmp', ROOT]) this.#host.create(path, 'directory');
  }

  run(): void {
    this.#client('client closes first', 'cfirst', '10.0.0.1', 9101, false);
    this.#client('client closes last', 'clast', '10.0.0.1', 9102, true);
    this.#client('client of IPv6 closes first', 'c6first', 'fd00::1', 9103, false);
    this.#datagram();
    this.#server();
    this.#unaccepted();
    this.#unread();
    this.#closedUnread();
    this.#unanswered();
  }

  #client(name: string, hostname: string, address: string, port: number, hostFirst: boolean): void {
    const listener = listen(this.#host, address, port);
    const scene = this.#enter(name, hostname, address);
    const fd = this.#connect(scene, scene.jail, address, port);
    const accepted = this.#host.accept(listener);
    this.#look(scene, 'connected');
    if (hostFirst) {
      this.#host.close(accepted);
      this.#look(scene, 'the host has closed');
    }
    scene.jail.close(fd);
    this.#look(scene, 'the jail has closed');
    this.#end(scene);
    this.#list(scene, 'list');
    if (!hostFirst) {
      this.#now += 3 * SECOND;
      this.#look(scene, 'some time later');
      this.#host.close(accepted);
      this.#look(scene, 'the host has closed');
      this.#list(scene, 'list then');
    }
    this.#untilGone(scene);
    this.#host.close(listener);
  }

  #datagram(): void {
    const scene = this.#enter('udp', 'udp', '10.0.0.1');
    const fd = scene.jail.socket(inet, 2);
    scene.jail.connect(fd, { family: 'inet', address: '10.0.0.1', port: 9110 });
    endChild(this.#host, scene.jail);
    this.#list(scene, 'its process has ended');
  }

  #server(): void {
    const scene = this.#enter('server closes first', 'sfirst', '10.0.0.1');
    const listener = listen(scene.jail, '10.0.0.1', 9104);
    const client = this.#connect(scene, this.#host, '10.0.0.1', 9104);
    const accepted = scene.jail.accept(listener);
    this.#look(scene, 'connected');
    scene.jail.close(accepted);
    this.#look(scene, 'the jail has closed');
    this.#end(scene);
    this.#host.close(client);
    this.#look(scene, 'the host has closed');
    this.#list(scene, 'list');
    const again = this.#host.fork();
    this.#replay.check(
      `${scene.name}: a jail with the same root, hostname and address, which listens there`,
      () => attempt(() => jailBy(again, 'sfirst', ROOT, ['10.0.0.1'])),
    );
    listen(again, '10.0.0.1', 9104);
    this.#list(scene, 'both');
    endChild(this.#host, again);
    this.#list(scene, 'the second has ended');
    const visitor = this.#host.fork();
    this.#replay.check(`${scene.name}: attach`, () =>
      attemptDone(() => visitor.jailAttach(scene.jid)),
    );
    endChild(this.#host, visitor);
    this.#untilGone(scene);
  }

  #unaccepted(): void {
    const scene = this.#enter('nobody accepts', 'queue', '10.0.0.1');
    listen(scene.jail, '10.0.0.1', 9105);
    const client = this.#connect(scene, this.#host, '10.0.0.1', 9105);
    this.#look(scene, 'connected');
    this.#end(scene);
    this.#list(scene, 'list');
    const write = () => this.#host.send(client, 1);
    this.#replay.check(`${scene.name}: the client writes`, () => attemptDone(write));
    this.#host.close(client);
  }

  #unread(): void {
    const { scene, accepted, bytes } = this.#flooded('killed with unsent data', 'unsent', 9106);
    this.#look(scene, 'killed');
    this.#list(scene, 'list');
    this.#now += 65 * SECOND;
    this.#look(scene, 'some time later');
    let read = 0;
    this.#replay.check(
      `${scene.name}: the host has read all`,
      () =>
        attemptDone(() => {
          for (let length = -1; length !== 0; read += length) length = this.#host.recv(accepted);
        }),
      (row) => assert.deepEqual([read, read], [row.bytes, bytes]),
    );
    this.#look(scene, 'read');
    this.#host.close(accepted);
    this.#look(scene, 'the host has closed');
    this.#untilGone(scene);
  }

  #closedUnread(): void {
    const { scene, accepted } = this.#flooded('closed unread', 'unread', 9107);
    this.#look(scene, 'killed');
    this.#host.close(accepted);
    this.#look(scene, 'the host has closed');
    this.#untilGone(scene);
  }

  // Killed while it writes what nobody reads.
  #flooded(name: string, hostname: string, port: number) {
    const listener = listen(this.#host, '10.0.0.1', port);
    const scene = this.#enter(name, hostname, '10.0.0.1');
    const fd = this.#connect(scene, scene.jail, '10.0.0.1', port);
    const written = this.#replay.find(`${name}: written`);
    const bytes = Number(written?.bytes ?? 122_880);
    scene.jail.send(fd, bytes);
    const accepted = this.#host.accept(listener);
    this.#look(scene, 'written');
    this.#host.kill(scene.jail.pid, SIGKILL);
    this.#host.wait(scene.jail.pid);
    return { scene, accepted, bytes };
  }

  #unanswered(): void {
    const listener = listen(this.#host, '10.0.0.1', 9108);
    const scene = this.#enter('nobody answers the end', 'finwait2', '10.0.0.1');
    this.#connect(scene, scene.jail, '10.0.0.1', 9108);
    this.#host.accept(listener);
    this.#end(scene);
    this.#now += 150 * SECOND;
    this.#look(scene, 'some time later');
    this.#untilGone(scene);
  }

  #enter(name: string, hostname: string, address: string): Scene {
    const jail = this.#host.fork();
    this.#replay.check(`${name}: jail`, () =>
      attempt(() => jailBy(jail, hostname, ROOT, [address])),
    );
    return { name, jail, jid: jail.jid, local: 0, remote: 0 };
  }

  #connect(scene: Scene, process: ModelProcess, address: string, port: number): number {
    const { family, domain } = familyOf(address);
    const fd = process.socket(domain, 1);
    process.connect(fd, { family, address, port });
    const own = process.getsockname(fd).port;
    const isJailed = process === scene.jail;
    Object.assign(scene, { local: isJailed ? own : port, remote: isJailed ? port : own });
    return fd;
  }

  #end(scene: Scene): void {
    endChild(this.#host, scene.jail);
    this.#look(scene, 'its process has ended');
  }

  #isThere({ jid }: Scene): boolean {
    return this.#kernel.jails.some((prison) => prison.jid === jid);
  }

  #stateOf({ local, remote }: Scene): string {
    const end = this.#kernel.connections.all.find(
      (one) => one.local.port === local && one.remote.port === remote,
    );
    return end?.state ?? 'gone';
  }

  // What became of the jail, and of its end.
  #look(scene: Scene, what: string, more: (row: Row) => void = () => {}): void {
    this.#replay.check(
      `${scene.name}: ${what}`,
      () => attempt(() => Number(this.#isThere(scene))),
      (row) => {
        assert.equal(this.#stateOf(scene), row.state, row.case);
        more(row);
      },
    );
  }

  #untilGone(scene: Scene): void {
    let seconds = 0;
    while (this.#isThere(scene) && seconds < MOST_SECONDS) {
      this.#now += SECOND;
      seconds++;
    }
    this.#look(scene, 'gone', (row) => {
      const off = Math.abs(seconds - Number(row.seconds));
      assert.ok(off <= SECONDS_OFF, `${row.case}: ${seconds}, not ${row.seconds} seconds`);
    });
  }

  #list(scene: Scene, what: string): void {
    this.#replay.checkList(`${scene.name}: ${what}`, this.#host);
  }
}

function familyOf(address: string) {
  return address.includes(':')
    ? ({ family: 'inet6', domain: inet6 } as const)
    : ({ family: 'inet', domain: inet } as const);
}

function listen(process: ModelProcess, address: string, port: number): number {
  const { family, domain } = familyOf(address);
  const fd = process.socket(domain, 1);
  process.bind(fd, { family, address, port });
  process.listen(fd);
  return fd;
}
