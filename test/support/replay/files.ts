import assert from 'node:assert/strict';
import { encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import { ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, bootRecorder, endChild, jailBy } from '../recordings.js';
import { furnished, jailedChild } from './lists.js';
import type { Replay } from './replay.js';

const MNT_FORCE = 0x80000;
const MNT_UPDATE = 0x10000;
const MNT_RDONLY = 1;
const UF_NODUMP = 1;
const SF_IMMUTABLE = 0x20000;

/** The recorder's machine: a read-only root with a devfs, and what can be written in memory. */
function machine(): { kernel: ModelKernel; recorder: ModelProcess } {
  const kernel = new ModelKernel({ root: { type: 'cd9660', device: 'md0' } });
  const recorder = bootRecorder(kernel);
  for (const path of ['/jail', '/tmp', '/bin', '/dev', '/var', '/root', '/mnt', '/proc']) {
    recorder.create(path, 'directory');
  }
  recorder.create('/bin/sh', 'file');
  recorder.mount('devfs', '/dev');
  recorder.create('/dev/md0', 'device'); // the disk that it was booted from
  for (const path of ['/tmp', '/var', '/root']) recorder.mount('tmpfs', path);
  for (const path of ['/tmp/d', '/tmp/d/sub']) recorder.create(path, 'directory');
  return { kernel, recorder };
}

/** The group `fs`: directories inside and outside of a jail, mounts, devices and what is done to files. */
export function replayFs(replay: Replay): void {
  const { recorder } = machine();
  new Chroots(replay, recorder).run();
  replayPassed(replay, recorder);
  new MountingJail(replay, recorder, 'mountjail', []).run();
  const on = ['vfs_mount_tmpfs', 'vfs_mount_nullfs', 'vfs_chflags'];
  new MountingJail(replay, recorder, 'mountjail+tmpfs+nullfs+chflags', on).run();
  replay.checkList('after: list', recorder);
  while (recorder.getfsstat().some(({ on: at }) => at === '/mnt')) recorder.unmount('/mnt');
  replay.checkList('after unmounting leftovers', recorder);
}

class Chroots {
  readonly #replay: Replay;
  readonly #recorder: ModelProcess;

  constructor(replay: Replay, recorder: ModelProcess) {
    this.#replay = replay;
    this.#recorder = recorder;
  }

  run(): void {
    this.#replayJail('jail /tmp/d', '/');
    this.#replayJail('jail /tmp/d cwd=/tmp', '/tmp');
  }

  #replayJail(name: string, cwd: string): void {
    const child = this.#recorder.fork();
    child.chdir(cwd);
    this.#replay.check(name, () => attempt(() => jailBy(child, 'fs', '/tmp/d')));
    this.#cwd('inside: getcwd after jail(/tmp/d) from cwd /', child);
    this.#inodes(child);
    for (const path of ['/bin/sh', '../../bin/sh', 'bin/sh', '/sub', '..']) {
      this.#stat(`${name}: stat ${path}`, child, path);
    }
    this.#stat(`${name}: stat relative sub`, child, 'sub');
    child.chroot('/sub');
    this.#cwd('inside: getcwd after chroot without chdir', child);
    this.#replayInner(`${name}: after chroot`, child);
    this.#stat(`${name}: stat /sub after chroot(.)`, child, '/sub');
    child.open('/');
    this.#call(`${name}: chroot(/) with open dir fd`, () => child.chroot('/'));
    endChild(this.#recorder, child);
  }

  // Upwards as often as it takes, and then the root is made there.
  #replayInner(prefix: string, child: ModelProcess): void {
    this.#stat(`${prefix}: stat ../../../bin/sh`, child, '../../../bin/sh');
    for (let level = 0; level < 9; level++) child.chdir('..');
    this.#call(`${prefix}: chdir ..`, () => child.chdir('..'));
    this.#stat(`${prefix}: stat bin/sh`, child, 'bin/sh');
    this.#stat(`${prefix}: stat ../bin/sh`, child, '../bin/sh');
    this.#call(`${prefix}: chroot(.)`, () => child.chroot('.'));
  }

  #inodes(child: ModelProcess): void {
    this.#replay.check(
      'inside: / and ..',
      () => attemptDone(() => child.stat('/')),
      (row) => {
        const { numbers } = this.#replay;
        const [root, above] = [child.stat('/'), child.stat('..')];
        numbers.same('file system', row.root_dev, root.device, row.case);
        // The recording does not tell the file system of `..`.
        const file = ({ device, inode }: typeof root) => `${device} ${inode}`;
        numbers.same('file', row.root_ino, file(root), row.case);
        numbers.same('file', row.dotdot_ino, file(above), row.case);
      },
    );
  }

  #cwd(name: string, child: ModelProcess): void {
    let cwd: string | null = null;
    const call = () => {
      cwd = child.getcwd();
    };
    this.#replay.check(
      name,
      () => attemptDone(call),
      (row) => assert.equal(cwd, row.cwd, name),
    );
  }

  #stat(name: string, child: ModelProcess, path: string): void {
    this.#call(name, () => child.stat(path));
  }

  #call(name: string, call: () => unknown): void {
    this.#replay.check(name, () => attemptDone(call));
  }
}

// A descriptor of the host's root directory leads out, however it came inside.
function replayPassed(replay: Replay, recorder: ModelProcess): void {
  const outside = recorder.fork();
  const root = outside.open('/');
  const inside = jailedChild(recorder, 'fdpass', '/tmp/d');
  const fd = inside.receive(outside, root);
  const calls: [string, () => unknown][] = [
    ['fchdir(received host / fd)', () => inside.fchdir(fd)],
    ['stat bin/sh', () => inside.stat('bin/sh')],
    ['openat(fd,bin/sh)', () => inside.openAt(fd, 'bin/sh')],
    ['openat(fd,..)', () => inside.openAt(fd, '..')],
  ];
  for (const [name, call] of calls) replay.check(`fd passed in: ${name}`, () => attemptDone(call));
  for (const process of [inside, outside]) endChild(recorder, process);
}

const POINTER = 'types of file systems are strings in the model, not pointers';

class MountingJail {
  readonly #replay: Replay;
  readonly #recorder: ModelProcess;
  readonly #name: string;
  readonly #jail: ModelProcess;

  constructor(replay: Replay, recorder: ModelProcess, name: string, on: readonly string[]) {
    this.#replay = replay;
    this.#recorder = recorder;
    this.#name = name;
    this.#jail = recorder.fork();
    replay.check(name, () => attempt(() => jailBy(this.#jail, name, '/')));
    for (const node of on) {
      recorder.sysctl(`jail.${this.#jail.jid}.${node}`, { value: encodeInt(1) });
    }
  }

  run(): void {
    this.#replayMounts();
    this.#replayNodes();
    this.#replayFlags();
    this.#replayRest();
    endChild(this.#recorder, this.#jail);
  }

  #replayMounts(): void {
    const jail = this.#jail;
    const mount = (type: string, path: string) => () => jail.mount(type, path);
    // Recorded by what it left: there were two of tmpfs on /mnt at the end.
    this.#call('mount tmpfs', mount('tmpfs', '/mnt'));
    this.#call('mount tmpfs NULL data', mount('tmpfs', '/mnt'));
    this.#call('mount null /tmp on /mnt', () => jail.mount('null', '/mnt', 0, '/tmp'));
    for (const type of ['devfs', 'procfs', 'proc', 'cd9660']) {
      this.#call(`mount ${type} /mnt`, mount(type, '/mnt'));
    }
    this.#call('mount nosuchfs', mount('nosuchfs', '/mnt'));
    this.#call('mount tmpfs on missing', mount('tmpfs', '/missing'));
    this.#replay.skip(`${this.#name}: mount bad type ptr`, POINTER);
    this.#call('unmount /mnt', () => jail.unmount('/mnt'));
    this.#call('unmount /tmp (host mount)', () => jail.unmount('/tmp'));
    this.#call('unmount /var FORCE (host mount)', () => jail.unmount('/var', MNT_FORCE));
    this.#call('mount update rdonly /var', () =>
      jail.mount('tmpfs', '/var', MNT_UPDATE | MNT_RDONLY),
    );
    replayMountTable(this.#replay, jail, `${this.#name}: getmntinfo`);
  }

  #replayNodes(): void {
    const jail = this.#jail;
    this.#call('mknod chr', () => jail.create('/tmp/chr', 'device'));
    this.#call('mknod blk', () => jail.create('/tmp/blk', 'device'));
    this.#call('mkfifo', () => jail.create('/tmp/pipe', 'fifo'));
    for (const name of ['mem', 'kmem', 'null', 'md0', 'io', 'bpf', 'ptmx']) {
      this.#call(`open /dev/${name}`, () => jail.open(`/dev/${name}`));
    }
  }

  #replayFlags(): void {
    const jail = this.#jail;
    const file = '/tmp/flagged';
    jail.create(file, 'file');
    this.#call('chown', () => jail.chown(file, 5, 5));
    this.#call('chmod 4755', () => jail.chmod(file, 0o4755));
    this.#call('chflags UF_NODUMP', () => jail.chflags(file, UF_NODUMP));
    this.#call('chflags SF_IMMUTABLE', () => jail.chflags(file, SF_IMMUTABLE));
    this.#replay.check(`${this.#name}: flags after`, () => attempt(() => jail.stat(file).flags));
    this.#call('unlink SF_IMMUTABLE', () => {
      if (jail.stat(file).flags === SF_IMMUTABLE) jail.unlink(file);
    });
    this.#call('chflags 0', () => jail.chflags(file, 0));
    this.#call('unlink', () => jail.unlink(file));
  }

  #replayRest(): void {
    const jail = this.#jail;
    this.#call('quotactl', () => jail.checkCall('quotactl', '/'));
    this.#call('undelete', () => jail.checkCall('undelete', '/tmp/gone'));
    this.#call('revoke /dev/null', () => jail.revoke('/dev/null'));
    this.#call('acct', () => jail.checkCall('acct', '/tmp/acct'));
    this.#call('swapon', () => jail.checkCall('swapon', '/dev/md0'));
    this.#call('getfh /', () => jail.checkCall('getfh', '/'));
  }

  #call(what: string, call: () => unknown): void {
    this.#replay.check(`${this.#name}: ${what}`, () => attemptDone(call));
  }
}

function replayMountTable(replay: Replay, process: ModelProcess, name: string): void {
  const table = () => process.getfsstat().map(({ type, from, on }) => `${type} ${from} ${on}`);
  replay.check(
    name,
    () => attempt(() => table().length),
    (row) => assert.deepEqual(table(), row.m, name),
  );
}

/** The group `mounts`: what of the host's mounts a jail sees. */
export function replayMounts(replay: Replay): void {
  const { recorder } = machine();
  for (const name of ['t', 'dev']) recorder.create(`/tmp/d/${name}`, 'directory');
  const mounts = [
    ['tmpfs', '/tmp/d/t'],
    ['devfs', '/tmp/d/dev'],
  ] as const;
  for (const [type, path] of mounts) {
    replay.check(`host: mount ${type} ${path}`, () =>
      attemptDone(() => recorder.mount(type, path)),
    );
  }
  const inside = jailedChild(recorder, 'mnt', '/tmp/d');
  inside.chdir('/');
  replayMountTable(replay, inside, 'inside jail /tmp/d: getmntinfo');
  for (const name of ['null', 'mem']) {
    replay.check(`inside: open /dev/${name}`, () => attemptDone(() => inside.open(`/dev/${name}`)));
  }
  replay.check(
    'inside: statfs /',
    () => attemptDone(() => inside.statfs('/')),
    (row) => {
      const { on, from, type } = inside.statfs('/');
      assert.deepEqual({ on, from, type }, { on: row.on, from: row.from, type: row.type });
    },
  );
  replay.check('inside: /proc', () => attemptDone(() => inside.readlink('/proc')));
  replay.check('inside: kern.bootfile', () => attemptDone(() => inside.sysctl('kern.bootfile')));
}

/** The group `procfs`: which processes are there for whom, and what their files say. */
export function replayProcfs(replay: Replay): void {
  const { recorder } = furnished();
  recorder.entry.args = ['/bin/rec', 'procfs'];
  recorder.create('/proc', 'directory');
  replay.check('host mount procfs', () => attemptDone(() => recorder.mount('procfs', '/proc')));
  const other = recorder.fork();
  const files = new ProcessFiles(replay);
  files.list('host: ls /proc', recorder);
  files.read('host', recorder, 'curproc', 'status');
  const jailed = jailedChild(recorder, 'procj host', '/');
  files.read('host view of jailed', recorder, jailed, 'status');
  files.list('inside: ls /proc (jail path /)', jailed);
  files.read('inside', jailed, 'curproc', 'status');
  for (const name of ['status', 'cmdline']) files.read('inside host proc', jailed, other, name);
  files.read('inside init', jailed, 1, 'status');
  for (const name of ['cmdline', 'rlimit', 'etype']) files.read('inside', jailed, 'curproc', name);
  const idle = jailedChild(recorder, 'procj2', '/');
  files.read('host view of jailed (idle)', recorder, idle, 'status');
}

class ProcessFiles {
  readonly #replay: Replay;

  constructor(replay: Replay) {
    this.#replay = replay;
  }

  list(name: string, viewer: ModelProcess): void {
    const all = () => ['.', '..', ...viewer.readdir('/proc')];
    this.#replay.check(
      name,
      () => attempt(() => all().length),
      (row) => {
        const recorded = row.e as readonly string[];
        for (const [index, entry] of all().entries()) {
          const theirs = recorded[index];
          if (Number(entry) > 1) this.#replay.numbers.same('pid', theirs, entry, name);
          else assert.equal(entry, theirs, name);
        }
      },
    );
  }

  read(name: string, viewer: ModelProcess, whose: ModelProcess | number | string, file: string) {
    const folder = typeof whose === 'object' ? whose.pid : whose;
    let text = '';
    this.#replay.check(
      name,
      (row) => {
        const outcome = attemptDone(() => {
          text = Buffer.from(viewer.readFile(`/proc/${folder}/${file}`)).toString('latin1');
        });
        // How long it is depends on its numbers.
        return outcome.err === '0' ? { ret: row?.ret ?? 0, err: '0' } : outcome;
      },
      (row) => {
        if (typeof whose === 'object') {
          const [, , pid] = String(row.path).split('/');
          this.#replay.numbers.same('pid', pid, whose.pid, name);
        }
        if (row.err === '0') this.#sameText(file, String(row.v), text, name);
      },
      { which: (row) => String(row.path).endsWith(`/${file}`) },
    );
  }

  #sameText(file: string, recorded: string, ours: string, where: string): void {
    if (file === 'status') this.#sameStatus(recorded, ours, where);
    else if (file === 'rlimit') sameLimits(recorded, ours, where);
    else assert.equal(ours, recorded, where);
  }

  #sameStatus(recorded: string, ours: string, where: string): void {
    const [theirs, own] = [recorded, ours].map((text) => {
      const [, command, numbers = '', rest, ids] = STATUS.exec(text) ?? assert.fail(text);
      return { command, numbers: numbers.split(' '), rest, ids };
    });
    assert.deepEqual(
      [own?.command, own?.rest, own?.ids],
      [theirs?.command, theirs?.rest, theirs?.ids],
      where,
    );
    for (const [index, number] of (own?.numbers ?? []).entries()) {
      this.#replay.numbers.same('pid', theirs?.numbers[index], number, where);
    }
  }
}

// The numbers of the process; its terminal and flags; when it began and how long it ran; what it waits for and whose
// it is.
const STATUS = /^(\S+) (\d+ \d+ \d+ \d+) (\S+ \S+) \d+,\d+ \d+,\d+ \d+,\d+ (.*\n)$/s;
/** These depend on a machine's memory. */
const BY_MEMORY = ['rss', 'memlock', 'nproc', 'nofile'];

function sameLimits(recorded: string, ours: string, where: string): void {
  const [theirs, own] = [recorded, ours].map((text) =>
    text.split('\n').map((line) => (BY_MEMORY.includes(line.split(' ')[0] ?? '') ? '' : line)),
  );
  assert.deepEqual(own, theirs, where);
}
