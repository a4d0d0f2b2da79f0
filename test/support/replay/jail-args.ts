import { packJail, packJailV0 } from '#internal/backends/dragonfly/jail-struct.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import { mapJail } from '#internal/backends/model/jail-image.js';
import {
  attempt,
  bootRecorder,
  endChild,
  furnish,
  jailBy,
  ROOT_INODE,
  type Row,
} from '../recordings.js';
import type { Replay } from './replay.js';

/** Where a case's `struct jail` lies, made in the process that is to call jail(2). */
type Arrange = (process: ModelProcess, row: Row) => bigint;

const HOST = 'h';
const KERNEL_POINTER = 0xffffffff80200000n;

function v1(path: string, hostname = HOST, addresses: readonly string[] = []): Arrange {
  const spec = { path, hostname, addresses: [...addresses].reverse() };
  return (process) => mapJail(process, spec, layout59);
}

function v0(hostname: string, number: number): Arrange {
  return (process) => {
    const { bytes, structSize } = packJailV0(
      { path: '/jail', hostname, addresses: ['1.2.3.4'] },
      layout59,
      BASE,
    );
    view(bytes).setUint32(layout59.structs.jailV0.fields.ip_number[0], number, true);
    process.mapMemory(bytes.subarray(0, structSize), BASE);
    process.mapMemory(bytes.subarray(structSize), BASE + BigInt(structSize));
    return BASE;
  };
}

const BASE = 0x7000_0000n;

// A whole structure of which one pointer is then another.
function pointing(field: 'path' | 'hostname', pointer: bigint, path = '/jail'): Arrange {
  return (process) => {
    const { bytes } = packJail({ path, hostname: HOST, addresses: [] }, layout59, BASE);
    view(bytes).setBigUint64(layout59.structs.jail.fields[field][0], pointer, true);
    return process.mapMemory(bytes, BASE);
  };
}

function version(number: number): Arrange {
  return (process) => {
    const { bytes } = packJail({ path: '/jail', hostname: HOST, addresses: [] }, layout59, BASE);
    view(bytes).setUint32(0, number, true);
    return process.mapMemory(bytes, BASE);
  };
}

// Addresses whose bytes are then changed, one function each.
function rawAddresses(
  changes: readonly ((sockaddr: Uint8Array) => void)[],
  texts: string[],
): Arrange {
  return (process) => {
    const spec = { path: '/jail', hostname: HOST, addresses: [...texts].reverse() };
    const { bytes } = packJail(spec, layout59, BASE);
    const { size } = layout59.structs.sockaddrStorage;
    const start = bytes.length - size * texts.length;
    for (const [index, change] of changes.entries()) {
      change(bytes.subarray(start + index * size, start + (index + 1) * size));
    }
    return process.mapMemory(bytes, BASE);
  };
}

const family = (number: number) => (sockaddr: Uint8Array) => {
  sockaddr[1] = number;
};
const unchanged = () => {};

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function truncated(): Arrange {
  return (process) => {
    const bytes = new Uint8Array(8);
    bytes[0] = 1;
    return process.mapMemory(bytes);
  };
}

function unterminated(): Arrange {
  return (process) => {
    const text = process.mapMemory(Buffer.from('zzzzzzzzzz'));
    return pointing('hostname', text)(process, {} as Row);
  };
}

function fromCwd(path: string): Arrange {
  return (process, row) => {
    process.chdir('/tmp/d');
    return v1(path)(process, row);
  };
}

function range(from: number, count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}.${from + index}`);
}

const CASES: Readonly<Record<string, Arrange>> = {
  'v0 ip 0x0a000001': v0('v0host', 0x0a000001),
  'v0 ip htonl(10.0.0.1)': v0('v0host', 0x0100000a),
  'v0 ip 0': v0('v0host', 0),
  'v0 empty hostname': v0('', 0x7f000001),
  'v1 no ips': v1('/jail', 'h1'),
  'version 0x2': version(2),
  'version 0x3': version(3),
  'version 0x63': version(0x63),
  'version 0x7fffffff': version(0x7fffffff),
  'version 0x80000000': version(0x80000000),
  'kernel ptr': () => KERNEL_POINTER,
  'unmapped user ptr': () => 0x123450000n,
  'struct v1 truncated by unmapped page (version readable)': truncated(),
  'v0 struct ends at page end': v0('edge', 0x0a000002),
  'path NULL': pointing('path', 0n),
  'path ptr 1': pointing('path', 1n),
  'path kernel': pointing('path', KERNEL_POINTER),
  'path empty': v1(''),
  'path missing': v1('/tmp/none'),
  'path component missing': v1('/tmp/none/x'),
  'path fifo': v1('/tmp/fifo'),
  'path relative sub': fromCwd('sub'),
  'path ../d/sub': fromCwd('../d/sub'),
  'symlink to dir': v1('/tmp/ln'),
  'symlink trailing slash': v1('/tmp/ln/'),
  'symlink dangling': v1('/tmp/dangling'),
  'symlink loop': v1('/tmp/loop'),
  'trailing slash': v1('/tmp/d/'),
  'dup slashes': v1('//tmp///d//'),
  'dotdot inside': v1('/tmp/d/../d/./sub'),
  'root path': v1('/'),
  'path with spaces': v1('/tmp/a b c'),
  'path with newline': v1('/tmp/n\nl'),
  'path non-ascii': v1('/tmp/été'),
  'path on cd9660 root': v1('/jail'),
  'path tmpfs mountpoint': v1('/tmp'),
  'path 1024 chars': v1('/'.repeat(1024)),
  'path component 256': v1(`/tmp/${'x'.repeat(256)}`),
  'host NULL': pointing('hostname', 0n),
  'host ptr 1': pointing('hostname', 1n),
  'host with spaces': v1('/jail', 'a b  c'),
  'host newline': v1('/jail', 'a\nb'),
  'host tab/ctrl': v1('/jail', 'a\tb\x01'),
  'host utf8': v1('/jail', 'é'),
  'host percent': v1('/jail', '%s%d%n'),
  'host leading space': v1('/jail', ' x'),
  'host empty': v1('/jail', ''),
  'host unterminated at page end': unterminated(),
  'bad host and bad path': pointing('hostname', 1n, '/tmp/none'),
  '1 v4': v1('/jail', HOST, ['10.0.0.1']),
  '2 v4': v1('/jail', HOST, ['10.0.0.1', '127.0.0.2']),
  duplicate: v1('/jail', HOST, ['10.0.0.1', '10.0.0.1']),
  'v4 any': v1('/jail', HOST, ['0.0.0.0']),
  'v4 not configured on host': v1('/jail', HOST, ['192.168.77.77']),
  'v6 any': v1('/jail', HOST, ['::']),
  'v4-mapped': v1('/jail', HOST, ['::ffff:1.2.3.4']),
  'v6 compress': v1('/jail', HOST, ['2001:db8::1:0:0:1']),
  'v6 upper': v1('/jail', HOST, ['2001:DB8:0:0:8:800:200C:417A']),
  'v6 linklocal embedded scope 5': v1('/jail', HOST, ['fe80:5::1']),
  'v6 full': v1('/jail', HOST, ['1:2:3:4:5:6:7:8']),
  'v6 v4compat': v1('/jail', HOST, ['::1.2.3.4']),
  'v6 1::': v1('/jail', HOST, ['1::']),
  'v6 0:0:1::': v1('/jail', HOST, ['0:0:1::']),
  'v6 single zeros': v1('/jail', HOST, ['1:0:2:0:3:0:4:0']),
  'v4 len 0': rawAddresses([(sockaddr) => sockaddr.fill(0, 0, 1)], ['10.0.0.1']),
  'v4 port 80': rawAddresses([(sockaddr) => sockaddr.fill(80, 3, 4)], ['10.0.0.1']),
  'valid,bogus,valid': rawAddresses([unchanged, family(99)], ['10.0.0.1', '10.0.0.1', '::1']),
  '40 v4': v1('/jail', HOST, range(1, 40, '10.1.1')),
  '70 v4 (list near 1024)': v1('/jail', HOST, range(100, 70, '10.2.100')),
};

function arrangement(name: string): Arrange | undefined {
  const [, length] = /^host (\d+) chars$/.exec(name) ?? [];
  if (length !== undefined) return v1('/jail', 'a'.repeat(Number(length)));
  const [, number] = /^family (\d+)$/.exec(name) ?? [];
  if (number !== undefined) return rawAddresses([family(Number(number))], ['10.0.0.1']);
  return CASES[name];
}

/** The group `jail-args`: jail(2) with every argument, good and bad. */
export function replayJailArgs(replay: Replay): void {
  const kernel = new ModelKernel({ rootInode: ROOT_INODE });
  const recorder = bootRecorder(kernel);
  furnish(recorder);
  for (const row of replay.left) {
    const arrange = arrangement(row.case);
    if (arrange === undefined) continue;
    inChild(recorder, (child) => {
      replay.check(
        row.case,
        () => attempt(() => child.jail(arrange(child, row))),
        () => replay.listAgrees(row, recorder),
      );
    });
  }
  replayLongLists(replay, recorder);
}

function inChild(parent: ModelProcess, run: (child: ModelProcess) => void): void {
  const child = parent.fork();
  run(child);
  endChild(parent, child);
}

function replayLongLists(replay: Replay, recorder: ModelProcess): void {
  const many = manyAddresses();
  inChild(recorder, (child) => {
    replay.check(
      '200 v4 (list > 1024 bytes)',
      () => attempt(() => jailBy(child, 'h', '/jail', many)),
      (row) => replay.listAgrees(row, recorder),
    );
  });
  const big = recorder.fork();
  jailBy(big, 'big', '/jail', many);
  const small = [recorder.fork(), recorder.fork()];
  for (const child of small) jailBy(child, 'small');
  replay.checkList('big(200 ips) + 2 small jails', recorder);
  endChild(recorder, big);
  replay.checkList('after big one gone', recorder);
  for (const child of small) endChild(recorder, child);
  inChild(recorder, (child) => {
    jailBy(child, 'a'.repeat(255), '/jail', range(100, 75, '10.2.100'));
    replay.checkList('host255 + 75 ips', recorder);
  });
  replay.checkList('all gone', recorder);
}

// As the row that shows them has them.
function manyAddresses(): string[] {
  const hundred = range(100, 100, '10.2.100');
  return [...hundred, ...hundred];
}
