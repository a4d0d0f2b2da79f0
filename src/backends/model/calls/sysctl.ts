import { sysctlFlags } from '../../dragonfly/sysctl-value.js';
import { sees } from '../credential.js';
import type { Kernel } from '../kernel-state.js';
import { encodeKernelThread, encodeProcess } from '../kinfo-encoder.js';
import { pathOf } from '../place.js';
import type { ProcessEntry } from '../process.js';
import { resolveName, SysctlBranch, type SysctlLeaf } from '../sysctl-tree.js';

/** What sysctl(3) is asked for. */
export interface SysctlRequest {
  /** Bytes that the caller has room for; null: none, only the length is wanted. */
  readonly room: number | null;
  /** What to write; null: nothing. */
  readonly value: Uint8Array | null;
}

/** What sysctl(3) answers. */
export interface SysctlAnswer {
  /** What was copied to the caller. */
  readonly bytes: Uint8Array;
  /** What is stored back as the length. */
  readonly length: number;
}

const NOTHING = new Uint8Array(0);
const MAX_DEPTH = 12;

/** sysctl(3) by name. */
export function sysctlByName(
  kernel: Kernel,
  caller: ProcessEntry,
  name: string,
  request: SysctlRequest,
): SysctlAnswer {
  const { oid } = resolveName(kernel.sysctl, name);
  return sysctl(kernel, caller, oid, request);
}

/** sysctl(3). @throws KernelError, of ENOMEM with what was copied */
export function sysctl(
  kernel: Kernel,
  caller: ProcessEntry,
  oid: readonly number[],
  request: SysctlRequest,
): SysctlAnswer {
  if (oid.length < 2 || oid.length > MAX_DEPTH) throw kernel.error('EINVAL');
  const [first, second, ...rest] = oid;
  if (first === CTL_KERN && second === KERN_PROC) {
    return readProcesses(kernel, caller, rest, request);
  }
  const leaf = leafAt(kernel, oid);
  if (request.value === null) return answer(kernel, leaf.read(caller), request.room);
  return write(kernel, caller, leaf, { ...request, value: request.value });
}

function leafAt(kernel: Kernel, oid: readonly number[]): SysctlLeaf {
  let node: SysctlBranch | SysctlLeaf | undefined = kernel.sysctl;
  for (const number of oid) {
    node = node instanceof SysctlBranch ? node.byNumber(number) : undefined;
    if (node === undefined) throw kernel.error('ENOENT');
  }
  if (node instanceof SysctlBranch) throw kernel.error('EISDIR');
  return node;
}

function write(
  kernel: Kernel,
  caller: ProcessEntry,
  leaf: SysctlLeaf,
  { room, value }: { room: number | null; value: Uint8Array },
): SysctlAnswer {
  if ((leaf.kind & sysctlFlags.write) === 0 || leaf.write === undefined)
    throw kernel.error('EPERM');
  const jailed = caller.credential.prison !== null;
  if (caller.uid !== 0) throw kernel.error('EPERM');
  if (jailed && (leaf.kind & sysctlFlags.prison) === 0) throw kernel.error('EPERM');
  const old = answer(kernel, leaf.read(caller), room);
  leaf.write(caller, value);
  return old;
}

// A length alone, all of it, or as much as there is room for, and then the caller's own length again.
function answer(kernel: Kernel, bytes: Uint8Array, room: number | null): SysctlAnswer {
  if (room === null) return { bytes: NOTHING, length: bytes.length };
  if (room >= bytes.length) return { bytes, length: bytes.length };
  const error = kernel.error('ENOMEM');
  error.partial = bytes.subarray(0, room);
  throw error;
}

const CTL_KERN = 1;
const KERN_PROC = 14;
const PROC = {
  all: 0,
  pid: 1,
  group: 2,
  terminal: 4,
  uid: 5,
  ruid: 6,
  args: 7,
  cwd: 8,
} as const;
const LWP = 0x10;
/** A probe of a list leaves room for so many more. */
const PROBE_SLACK = 5;

function readProcesses(
  kernel: Kernel,
  caller: ProcessEntry,
  [op = -1, ...parameters]: readonly number[],
  { room, value }: SysctlRequest,
): SysctlAnswer {
  if (value !== null) throw kernel.error('EPERM');
  if (op === PROC.args || op === PROC.cwd) {
    return answer(kernel, readDetail(kernel, op, parameters), room);
  }
  const kind = op & ~LWP;
  if (!isListing(kind)) throw kernel.error('ENOENT');
  if (parameters.length !== (kind === PROC.all ? 0 : 1)) throw kernel.error('EINVAL');
  const records = selectProcesses(kernel, caller, kind, parameters[0] ?? 0).flatMap((process) =>
    recordsOf(kernel, process, (op & LWP) !== 0),
  );
  if (kind === PROC.all && caller.credential.prison === null) {
    records.push(
      ...kernel.kernelThreads.map((thread) => encodeKernelThread(thread, kernel.layout)),
    );
  }
  const size = kernel.layout.structs.kinfoProc.size;
  const slack = kind === PROC.pid ? 0 : PROBE_SLACK;
  if (room === null) return { bytes: NOTHING, length: (records.length + slack) * size };
  return answer(kernel, Buffer.concat(records), room);
}

function isListing(kind: number): boolean {
  const listings: readonly number[] = [
    PROC.all,
    PROC.pid,
    PROC.group,
    PROC.terminal,
    PROC.uid,
    PROC.ruid,
  ];
  return listings.includes(kind);
}

function selectProcesses(
  kernel: Kernel,
  caller: ProcessEntry,
  kind: number,
  wanted: number,
): ProcessEntry[] {
  if (kind === PROC.pid) {
    const process = kernel.processes.find(wanted);
    // By its number a zombie is not found.
    if (process === undefined || process.isZombie || process.pid === 0) return [];
    return sees(caller.credential, process.credential) ? [process] : [];
  }
  const visible = kernel.processes.visible(caller.credential);
  if (kind === PROC.group) return visible.filter(({ pgid }) => pgid === wanted);
  if (kind === PROC.uid) return visible.filter(({ uid }) => uid === wanted);
  if (kind === PROC.ruid) return visible.filter(({ credential }) => credential.ruid === wanted);
  return kind === PROC.all ? visible : [];
}

function recordsOf(kernel: Kernel, process: ProcessEntry, threads: boolean): Uint8Array[] {
  if (!threads || process.isZombie) return [encodeProcess(process, kernel.layout)];
  return process.threads.map((thread) => encodeProcess(process, kernel.layout, thread));
}

// Nobody checks who asks: a jailed process can read the arguments of one outside.
function readDetail(kernel: Kernel, op: number, parameters: readonly number[]): Uint8Array {
  if (parameters.length < 1) throw kernel.error('EINVAL');
  const process = kernel.processes.find(parameters[0] ?? 0);
  if (process === undefined || process.isZombie) return NOTHING;
  if (op === PROC.args) {
    return Buffer.from(process.args.map((arg) => `${arg}\0`).join(''));
  }
  const path = pathOf(process.cwd, process.root);
  if (path === null) throw kernel.error('ENOENT');
  return Buffer.from(`${path}\0`);
}
