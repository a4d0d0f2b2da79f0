import assert from 'node:assert/strict';
import { encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import {
  type CheckedCall,
  KernelError,
  type ModelProcess,
} from '#internal/backends/model/index.js';
import { attempt, attemptDone, endChild, jailBy, type Row } from '../recordings.js';
import { furnished } from './lists.js';
import type { Replay } from './replay.js';

/** By what the cases call them. */
const CALLS: Readonly<Record<string, CheckedCall>> = {
  settimeofday: 'settimeofday',
  adjtime: 'adjtime',
  reboot: 'reboot',
  mlock: 'mlock',
  shmget: 'shmget',
  msgget: 'msgget',
  semget: 'semget',
  kldload: 'kldload',
  nfssvc: 'nfssvc',
  'varsym_set sys': 'varsym_set',
  usched_set: 'usched_set',
  'rtprio realtime': 'rtprio',
  nosys: 'nosys',
};
const NODES = ['kern.maxfiles=1', 'kern.securelevel=0'];

/** The group `misc`: what root may do in a jail, and what not. */
export function replayMisc(replay: Replay): void {
  const { recorder } = furnished();
  replayJail(replay, recorder, 'jail', false);
  replayJail(replay, recorder, 'jail+sysvipc', true);
}

function replayJail(replay: Replay, recorder: ModelProcess, name: string, ipc: boolean): void {
  const jail = recorder.fork();
  replay.check(name, () => attempt(() => jailBy(jail, name, '/')));
  if (ipc) recorder.sysctl(`jail.${jail.jid}.sys_sysvipc`, { value: encodeInt(1) });
  const call = (what: string, make: () => unknown) => {
    replay.check(`${name}: ${what}`, () => attemptDone(make));
  };
  for (const [what, checked] of Object.entries(CALLS)) call(what, () => jail.checkCall(checked));
  call('ktrace self', () => jail.checkCall('ktrace', '/tmp/ktrace.out'));
  call('setrlimit raise hard', () => jail.setrlimit('nofile', 1000n, 2000n));
  call('setlogin', () => jail.setlogin('root'));
  replayNodes(call, jail);
  call('setuid(0)', () => jail.setuid(0));
  call('seteuid(5)', () => jail.seteuid(5));
  call('seteuid(0)', () => jail.seteuid(0));
  call('nice(-1)', () => jail.setpriority(0, jail.getpriority() - 1));
  call('lwp_gettid', () => jail.entry.threads[0]?.tid);
  replayHostname(replay, jail);
  endChild(recorder, jail);
}

function replayNodes(call: (what: string, make: () => unknown) => void, jail: ModelProcess): void {
  for (const write of NODES) {
    const [node = '', value] = write.split('=');
    const bytes = encodeInt(Number(value));
    call(`sysctl ${write} write`, () => jail.sysctl(node, { value: bytes }));
  }
  call('write kern.domainname', () => jail.sysctl('kern.domainname', { value: encodeInt(0) }));
  call('read kern.hostid', () => jail.sysctl('kern.hostid'));
  call('write kern.hostid', () => jail.sysctl('kern.hostid', { value: encodeInt(0) }));
  call('kern.msgbuf', () => jail.sysctl('kern.msgbuf'));
}

function replayHostname(replay: Replay, jail: ModelProcess): void {
  const read = () => Buffer.from(jail.sysctl('kern.hostname').bytes).toString();
  replay.check(
    'hostname',
    () => attemptDone(read),
    (row: Row) => assert.deepEqual([read(), read().length], [row.v, row.len]),
  );
  replay.check(
    'gethostname',
    () => attemptDone(() => jail.gethostname()),
    (row) => assert.equal(jail.gethostname(), row.v),
  );
  replay.check('gethostname short 3', () => attempt(() => shortName(jail, 3)));
}

// gethostname(3) is a read of the node, and has a name of its own for the error.
function shortName(jail: ModelProcess, room: number): void {
  try {
    jail.sysctl('kern.hostname', { room });
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ENOMEM') throw jail.error('ENAMETOOLONG');
    throw error;
  }
}
