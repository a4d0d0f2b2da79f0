import assert from 'node:assert/strict';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import {
  type Endpoint,
  KernelError,
  ModelKernel,
  type ModelProcess,
} from '#internal/backends/model/index.js';
import { attempt, attemptDone, bootRecorder, endChild, jailBy, type Row } from '../recordings.js';
import type { Replay } from './replay.js';

const { inet, inet6, unix } = layout59.families;
const LINK = 'lo0 18 ?';
const LOOPBACK_ADDRESSES = [
  '127.0.0.2',
  '127.0.0.3',
  '10.0.0.1',
  '10.0.0.2',
  '10.0.0.3',
  '10.0.0.5',
  'fd00::1',
  'fd00::2',
];
const LISTENERS: readonly [string, number][] = [
  ['127.0.0.1', 8001],
  ['10.0.0.2', 8002],
  ['10.0.0.1', 8003],
  ['::1', 8004],
  ['0.0.0.0', 8005],
];

/** The jails of the recording, by the name that its cases start with. */
const JAILS: Readonly<Record<string, { addresses: string[]; on?: string }>> = {
  'j-noip': { addresses: [] },
  'j-10.0.0.1': { addresses: ['10.0.0.1'] },
  'j-10.0.0.1+127.0.0.2': { addresses: ['10.0.0.1', '127.0.0.2'] },
  'j-fd00::1': { addresses: ['fd00::1'] },
  'j-127.0.0.1': { addresses: ['127.0.0.1'] },
  'j-192.168.9.9-not-on-host': { addresses: ['192.168.9.9'] },
  'j-10.0.0.1,fd00::1,10.0.0.2': { addresses: ['10.0.0.1', 'fd00::1', '10.0.0.2'] },
  'j+allow_raw_sockets': { addresses: ['10.0.0.1'], on: 'net_raw_sockets' },
  'j+unixiproute_only': { addresses: ['10.0.0.1'], on: 'net_unixiproute' },
  'j host wildcard listening 9201': { addresses: ['10.0.0.1'] },
  'j+listen_override host wildcard 9201': {
    addresses: ['10.0.0.1'],
    on: 'allow_listen_override',
  },
};
/**
 * What the recording leaves out: jails with an IPv6 address reached the listener on ::1, which accepted nothing. They
 * stay listed to its end, held by the connection that they closed first. (The listeners of IPv4 closed whatever came at
 * once, and were first.)
 */
const REACHED = { family: 'inet6', address: '::1', port: 8004 } as const;

/** The group `net`: bind(2), connect(2) and socket(2) in jails of every kind. */
export function replayNet(replay: Replay): void {
  const kernel = new ModelKernel();
  kernel.network.interfaces.get('lo0')?.addresses.push(...LOOPBACK_ADDRESSES);
  const recorder = bootRecorder(kernel);
  const listeners = [...LISTENERS, ['0.0.0.0', 9201] as const].map(([address, port]) => {
    const fd = listen(recorder, address, port);
    return { fd, accepts: familyOf(address) === 'inet' };
  });
  new NetReplay(replay, recorder, listeners).run();
}

function listen(process: ModelProcess, address: string, port: number): number {
  const family = familyOf(address);
  const fd = process.socket(family === 'inet' ? inet : inet6, 1);
  process.bind(fd, { family, address, port });
  process.listen(fd);
  return fd;
}

function familyOf(address: string): Endpoint['family'] {
  return address.includes(':') ? 'inet6' : 'inet';
}

function isAbout({ case: what }: Row, name: string): boolean {
  return what === name || what.startsWith(`${name}: `);
}

// Its row stands in the list of all jails.
function isListed({ list }: Row, name: string): boolean {
  return typeof list === 'string' && list.split('\n').some((row) => row.split(' ')[1] === name);
}

interface Listener {
  readonly fd: number;
  readonly accepts: boolean;
}

class NetReplay {
  readonly #replay: Replay;
  readonly #recorder: ModelProcess;
  readonly #listeners: readonly Listener[];

  constructor(replay: Replay, recorder: ModelProcess, listeners: readonly Listener[]) {
    this.#replay = replay;
    this.#recorder = recorder;
    this.#listeners = listeners;
  }

  run(): void {
    this.#replayActor('host', this.#recorder);
    const rows = this.#replay.left;
    for (const name of Object.keys(JAILS)) {
      if (!rows.some((row) => isAbout(row, name) || isListed(row, name))) continue;
      const process = this.#enter(name);
      this.#replayActor(name, process);
      const isHeld = rows.some((row) => row.case !== name && isListed(row, name));
      this.#leave(process, isHeld);
    }
  }

  #replayActor(name: string, process: ModelProcess): void {
    for (const row of this.#replay.left) {
      if (row.case.startsWith(`${name}: `)) this.#replayCall(row, process);
    }
  }

  #enter(name: string): ModelProcess {
    const process = this.#recorder.fork();
    const { addresses, on } = JAILS[name] ?? assert.fail(`what jail is ${name}?`);
    this.#replay.check(
      name,
      () => attempt(() => jailBy(process, name, '/', addresses)),
      (row) => {
        if (row.list !== undefined) this.#replay.listAgrees(row, this.#recorder);
      },
    );
    if (on !== undefined) {
      this.#recorder.sysctl(`jail.${process.jid}.${on}`, { value: encodeInt(1) });
    }
    return process;
  }

  #leave(process: ModelProcess, isHeld: boolean): void {
    if (isHeld) process.connect(process.socket(inet6, 1), REACHED);
    endChild(this.#recorder, process);
  }

  #replayCall(row: Row, process: ModelProcess): void {
    const what = row.case.slice(row.case.indexOf(': ') + 2);
    // Each in a child of its own: what it opens is closed with it.
    const child = process.fork();
    this.#dispatch(row, child, what);
    for (const { fd, accepts } of this.#listeners) if (accepts) this.#acceptAll(fd);
    endChild(process, child);
  }

  #acceptAll(fd: number): void {
    const waiting = this.#recorder.entry.files.get(fd)?.socket?.queue ?? [];
    while (waiting.length > 0) this.#recorder.close(this.#recorder.accept(fd));
  }

  #dispatch(row: Row, process: ModelProcess, what: string): void {
    if (row.call === 'bind') this.#bind(row, process, what);
    else if (row.call === 'connect') this.#connect(row, process, what);
    else if (row.call === 'socket') this.#socket(row, process);
    else if (row.call === 'socketpair') {
      this.#replay.check(row.case, () => attemptDone(() => process.socket(unix, 1)));
    } else if (what === 'SIOCGIFFLAGS lo0') {
      this.#replay.check(row.case, () => attemptDone(() => process.getifaddrs()));
    } else if (what === 'SIOCSIFFLAGS lo0 up') {
      this.#replay.check(row.case, () => attemptDone(() => process.setInterfaceFlags('lo0')));
    } else if (what === 'getifaddrs' || what === 'SIOCGIFCONF') this.#interfaces(row, process);
  }

  #bind(row: Row, process: ModelProcess, what: string): void {
    const socket = opened(process, what);
    if (socket === null) return;
    const { fd, endpoint } = socket;
    this.#replay.check(
      row.case,
      () => attemptDone(() => process.bind(fd, endpoint)),
      () => {
        const { address, port } = process.getsockname(fd);
        assert.equal(address, row.getsockname, row.case);
        // Which port the kernel chooses is its own affair, as long as it is one of those.
        if (endpoint.port === 0 && row.err === '0') assert.ok(port >= 1024 && port <= 5000);
        else assert.equal(port, row.port, row.case);
      },
    );
  }

  #connect(row: Row, process: ModelProcess, what: string): void {
    const socket = opened(process, what);
    if (socket === null) return;
    const { fd, endpoint } = socket;
    this.#replay.check(
      row.case,
      () => attemptDone(() => process.connect(fd, endpoint)),
      () => {
        // The recorder showed a name that it was not given as zeros: those of IPv6.
        const own = nameOr(() => process.getsockname(fd), '::');
        const peer = nameOr(() => process.getpeername(fd), '');
        assert.deepEqual([own, peer], [row.sockname, row.peername], row.case);
      },
    );
  }

  #socket(row: Row, process: ModelProcess): void {
    const { domain, type, proto } = row;
    this.#replay.check(row.case, () =>
      attemptDone(() => process.socket(Number(domain), Number(type), Number(proto))),
    );
  }

  #interfaces(row: Row, process: ModelProcess): void {
    this.#replay.check(
      row.case,
      () => attemptDone(() => process.getifaddrs()),
      () => assert.deepEqual(process.getifaddrs().map(shownInterface), row.ifs, row.case),
    );
  }
}

function shownInterface({ address, ...entry }: { interface: string; address: string | null }) {
  if (address === null) return LINK;
  return `${entry.interface} ${familyOf(address) === 'inet' ? inet : inet6} ${address}`;
}

function opened(process: ModelProcess, what: string): { fd: number; endpoint: Endpoint } | null {
  const match = /^(tcp|udp) (?:bind|connect) (\S+).* port (\d+)$/.exec(what);
  if (match === null) return null;
  const [, protocol = '', address = '', port = ''] = match;
  const family = familyOf(address);
  const fd = process.socket(family === 'inet' ? inet : inet6, protocol === 'tcp' ? 1 : 2);
  return { fd, endpoint: { family, address, port: Number(port) } };
}

function nameOr(name: () => Endpoint, otherwise: string): string {
  try {
    return name().address;
  } catch (error) {
    if (error instanceof KernelError) return otherwise;
    throw error;
  }
}

/** The group `net-domains`: kinds of sockets that a module brings. */
export function replayNetDomains(replay: Replay): void {
  const recorder = bootRecorder(new ModelKernel({ modules: ['netgraph'] }));
  const actors: Record<string, ModelProcess> = { host: recorder };
  for (const [name, value] of [
    ['jail unixiproute_only=0', 0],
    ['jail unixiproute_only=1', 1],
  ] as const) {
    const child = recorder.fork();
    jailBy(child, 'ng', '/');
    recorder.sysctl(`jail.${child.jid}.net_unixiproute`, { value: encodeInt(value) });
    actors[name] = child;
  }
  const user = recorder.fork();
  user.setuid(1001);
  actors['host uid1001'] = user;
  for (const row of replay.left) {
    const { domain, type, proto } = row;
    const process = actors[row.case.split(': ')[0] ?? ''];
    if (process === undefined || row.call !== 'socket') continue;
    replay.check(row.case, () =>
      attemptDone(() => process.socket(Number(domain), Number(type), Number(proto))),
    );
  }
}
