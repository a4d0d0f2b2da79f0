import { readUnsigned, viewOf } from '../../dragonfly/bytes.js';
import type { Credential } from '../credential.js';
import type { Kernel } from '../kernel-state.js';
import { lookup, maySearch, type Place } from '../place.js';
import type { Prison, PrisonAddress } from '../prison.js';
import type { ProcessEntry } from '../process.js';
import { processFlag } from '../process-table.js';
import { assertHostRoot, assertPrivileged } from './privilege.js';

/** jail(2): the order of the checks is the kernel's. @returns the jid */
export function jail(kernel: Kernel, caller: ProcessEntry, pointer: bigint): number {
  assertHostRoot(kernel, caller);
  const given = readArguments(kernel, caller, pointer);
  const root = lookup(caller, given.path);
  // From here on a failure has used a number up.
  const jid = kernel.prisons.takeJid();
  checkChroot(kernel, caller, root);
  const parts = { jid, root, hostname: given.hostname, addresses: given.addresses };
  const prison = kernel.prisons.add({ ...parts, capabilities: kernel.template });
  enter(caller, prison);
  return jid;
}

/** jail_attach(2). */
export function jailAttach(kernel: Kernel, caller: ProcessEntry, jid: number): void {
  assertHostRoot(kernel, caller);
  const prison = kernel.prisons.find(jid);
  if (prison === undefined) throw kernel.error('EINVAL');
  checkChroot(kernel, caller, prison.root);
  enter(caller, prison);
}

/** chroot(2). */
export function chroot(kernel: Kernel, caller: ProcessEntry, path: string): void {
  const root = lookup(caller, path);
  assertPrivileged(kernel, caller, 'PRIV_VFS_CHROOT');
  checkChroot(kernel, caller, root);
  caller.root = root;
  caller.flags |= processFlag('P_DIDCHROOT');
}

// The whole process goes: its working directory and its descriptors stay what they were.
function enter(caller: ProcessEntry, prison: Prison): void {
  caller.root = prison.root;
  caller.flags |= processFlag('P_JAILED') | processFlag('P_DIDCHROOT');
  const credential: Credential = { ...caller.credential, prison };
  caller.become(credential);
}

function checkChroot(kernel: Kernel, caller: ProcessEntry, root: Place): void {
  const { allowOpenDirectories } = kernel.settings;
  const chrooted = !caller.root.is(kernel.root);
  const forbidden = allowOpenDirectories === 0 || (allowOpenDirectories === 1 && chrooted);
  if (forbidden && hasOpenDirectory(caller)) throw kernel.error('EPERM');
  if (!root.vnode.isDirectory) throw kernel.error('ENOTDIR');
  if (!maySearch(root.vnode, caller.uid)) throw kernel.error('EACCES');
}

function hasOpenDirectory(caller: ProcessEntry): boolean {
  return [...caller.files.values()].some(({ kind }) => kind === 'directory');
}

interface Given {
  readonly path: string;
  readonly hostname: string;
  readonly addresses: readonly PrisonAddress[];
}

function readArguments(kernel: Kernel, caller: ProcessEntry, pointer: bigint): Given {
  const { memory } = caller;
  const { jail: v1, jailV0: v0 } = kernel.layout.structs;
  const version = viewOf(memory.read(pointer, 4)).getUint32(0, true);
  if (version > 1) throw kernel.error('EINVAL');
  const { size, fields } = version === 1 ? v1 : v0;
  const struct = viewOf(memory.read(pointer, size));
  const at = (field: 'path' | 'hostname') => struct.getBigUint64(fields[field][0], true);
  const addresses =
    version === 1
      ? readAddresses(kernel, caller, struct)
      : [inet(readUnsigned(struct, 0, v0.fields.ip_number))];
  const hostname = memory.readString(at('hostname'), kernel.layout.limits.hostname);
  const path = memory.readString(at('path'), kernel.layout.limits.path);
  return { path, hostname, addresses };
}

function readAddresses(kernel: Kernel, caller: ProcessEntry, struct: DataView): PrisonAddress[] {
  const { jail: v1, sockaddrStorage } = kernel.layout.structs;
  const count = readUnsigned(struct, 0, v1.fields.n_ips);
  const array = struct.getBigUint64(v1.fields.ips[0], true);
  const addresses: PrisonAddress[] = [];
  for (let index = 0; index < count; index++) {
    const at = array + BigInt(index * sockaddrStorage.size);
    addresses.unshift(readAddress(kernel, caller.memory.read(at, sockaddrStorage.size)));
  }
  return addresses;
}

function readAddress(kernel: Kernel, bytes: Uint8Array): PrisonAddress {
  const { sockaddrStorage, sockaddrIn, sockaddrIn6 } = kernel.layout.structs;
  const family = readUnsigned(viewOf(bytes), 0, sockaddrStorage.fields.ss_family);
  const part = ([offset, size]: readonly [number, number]) => bytes.slice(offset, offset + size);
  if (family === kernel.layout.families.inet) {
    return { family: 'inet', bytes: part(sockaddrIn.fields.sin_addr) };
  }
  if (family === kernel.layout.families.inet6) {
    return { family: 'inet6', bytes: part(sockaddrIn6.fields.sin6_addr) };
  }
  return { family: 'other', bytes: new Uint8Array(0) };
}

function inet(hostOrder: number): PrisonAddress {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, hostOrder);
  return { family: 'inet', bytes };
}
