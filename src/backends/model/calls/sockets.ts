import type { Kernel } from '../kernel-state.js';
import {
  anyAddress,
  type Endpoint,
  type Family,
  prisonAddresses,
  replaceLoopback,
  showAddress,
} from '../network.js';
import { OpenFile } from '../open-file.js';
import { lookup } from '../place.js';
import type { Prison } from '../prison.js';
import type { ProcessEntry } from '../process.js';
import { familyOf, ModelSocket, socketTypes } from '../socket.js';
import { fileOf, install } from './files.js';
import { assertPrivileged, hasCapability } from './privilege.js';

const NETGRAPH = 32;
const NETGRAPH_CONTROL = 2;
const FIRST_FREE_PORT = 1024;

/** socket(2). */
export function socket(
  kernel: Kernel,
  process: ProcessEntry,
  domain: number,
  type: number,
  protocol: number,
): number {
  const { prison } = process.credential;
  const only = prison !== null && hasCapability(kernel, prison, 'unixIpRouteOnly');
  if (only && !isOrdinaryDomain(kernel, domain)) throw kernel.error('EPROTONOSUPPORT');
  if (!isKnown(kernel, domain, type)) throw kernel.error('EPROTONOSUPPORT');
  if (needsRoot(kernel, domain, type, protocol)) assertRaw(kernel, process, domain);
  const made = new ModelSocket(domain, type, protocol, process.credential);
  const closed = () => kernel.sockets.remove(made);
  return install(process, new OpenFile('socket', process.credential, { socket: made, closed }));
}

function isOrdinaryDomain({ layout: { families } }: Kernel, domain: number): boolean {
  return [families.unix, families.inet, families.inet6, families.route].includes(domain);
}

function isKnown(kernel: Kernel, domain: number, type: number): boolean {
  const { families } = kernel.layout;
  const { stream, datagram, raw, seqpacket } = socketTypes;
  if (domain === families.unix) return [stream, datagram, seqpacket].some((one) => one === type);
  if (domain === families.route) return type === raw;
  if (domain === NETGRAPH) return kernel.modules.has('netgraph') && type === datagram;
  return familyOf(domain, families) !== null && [stream, datagram, raw].some((one) => one === type);
}

function needsRoot(kernel: Kernel, domain: number, type: number, protocol: number): boolean {
  if (domain === NETGRAPH) return protocol === NETGRAPH_CONTROL;
  return type === socketTypes.raw && familyOf(domain, kernel.layout.families) !== null;
}

function assertRaw(kernel: Kernel, process: ProcessEntry, domain: number): void {
  const privilege = domain === NETGRAPH ? 'PRIV_ROOT' : 'PRIV_NETINET_RAW';
  assertPrivileged(kernel, process, privilege);
}

/** The socket of a descriptor. @throws KernelError EBADF, ENOTSOCK */
export function socketOf(kernel: Kernel, process: ProcessEntry, fd: number): ModelSocket {
  const { socket: found } = fileOf(kernel, process, fd);
  if (found === null) throw kernel.error('ENOTSOCK');
  return found;
}

/** bind(2) of an IP socket: the checks of the jail come before those of the host. */
export function bind(kernel: Kernel, process: ProcessEntry, fd: number, wanted: Endpoint): void {
  const bound = socketOf(kernel, process, fd);
  const { prison } = process.credential;
  const stream = bound.type === socketTypes.stream;
  if (stream && isMulticast(wanted.address)) throw kernel.error('EAFNOSUPPORT');
  if (bound.local !== null) throw kernel.error('EINVAL');
  const endpoint = replaceLoopback(prison, wanted);
  if (endpoint === null) throw kernel.error('EAFNOSUPPORT');
  const any = endpoint.address === anyAddress(endpoint.family);
  if (!any) assertOwn(kernel, prison, endpoint);
  if (endpoint.port > 0 && endpoint.port < FIRST_FREE_PORT && process.uid !== 0) {
    throw kernel.error('EPERM');
  }
  if (!any && !kernel.network.has(endpoint.address)) throw kernel.error('EADDRNOTAVAIL');
  const port = endpoint.port === 0 ? kernel.sockets.ephemeralPort() : endpoint.port;
  if (kernel.sockets.conflict({ ...endpoint, port }, bound.type, process.credential)) {
    throw kernel.error('EADDRINUSE');
  }
  bound.local = { ...endpoint, port };
  kernel.sockets.add(bound);
}

function assertOwn(kernel: Kernel, prison: Prison | null, { family, address }: Endpoint): void {
  if (prison === null || prisonAddresses(prison, family).includes(address)) return;
  throw kernel.error('EINVAL');
}

function isMulticast(address: string): boolean {
  const first = Number.parseInt(address, 10);
  return !address.includes(':') && first >= 224 && first <= 239;
}

/** listen(2). */
export function listen(kernel: Kernel, process: ProcessEntry, fd: number): void {
  const bound = socketOf(kernel, process, fd);
  if (bound.local === null) throw kernel.error('EDESTADDRREQ');
  bound.listening = true;
}

/** connect(2) of an IP socket. */
export function connect(kernel: Kernel, process: ProcessEntry, fd: number, wanted: Endpoint): void {
  const own = socketOf(kernel, process, fd);
  const { prison } = process.credential;
  const stream = own.type === socketTypes.stream;
  const remote = replaceLoopback(prison, wanted);
  if (remote === null) throw kernel.error('EAFNOSUPPORT');
  const source = own.local?.address ?? sourceFor(kernel, prison, remote);
  if (source === null) {
    noSource(kernel, remote.family, stream);
    return;
  }
  const port = own.local?.port ?? kernel.sockets.ephemeralPort();
  own.local = { family: remote.family, address: source, port };
  kernel.sockets.add(own);
  if (!kernel.network.reaches(remote.address)) throw kernel.error('EHOSTUNREACH');
  if (!stream) own.remote = remote;
  else connectStream(kernel, own, remote, source);
}

// A datagram socket does not learn of it: its connect(2) is handed to the protocol's thread, which has nobody to tell.
function noSource(kernel: Kernel, family: Family, stream: boolean): void {
  if (family === 'inet6') throw kernel.error('EHOSTUNREACH');
  if (stream) throw kernel.error('EADDRNOTAVAIL');
}

// Answers to an address that the host has not go nowhere: such a connection is never made, and never refused.
function connectStream(kernel: Kernel, own: ModelSocket, remote: Endpoint, source: string): void {
  if (!kernel.network.has(source)) return;
  if (kernel.sockets.listener(remote) !== undefined) {
    own.remote = remote;
    return;
  }
  own.broken = true;
  own.local = null;
  throw kernel.error('ECONNREFUSED');
}

// To an address of its own a jail comes from that address; else from the first of its addresses, in the order of the
// interface, that the packets leave by; else from the first of its list that is not loopback.
function sourceFor(kernel: Kernel, prison: Prison | null, remote: Endpoint): string | null {
  const leaving = kernel.network.interfaceTowards(remote.address);
  if (prison === null) {
    if (kernel.network.has(remote.address)) return remote.address;
    return leaving?.addresses.find((own) => familyIs(own, remote.family)) ?? null;
  }
  const own = prisonAddresses(prison, remote.family);
  if (own.includes(remote.address)) return remote.address;
  return leaving?.addresses.find((address) => own.includes(address)) ?? own[0] ?? null;
}

function familyIs(address: string, family: Family): boolean {
  return address.includes(':') === (family === 'inet6');
}

/** connect(2) of a UNIX socket: whatever can be seen can be connected to, the host's included. */
export function connectPath(kernel: Kernel, process: ProcessEntry, fd: number, path: string): void {
  const own = socketOf(kernel, process, fd);
  const { vnode } = lookup(process, path);
  if (vnode.kind !== 'socket') throw kernel.error('ECONNREFUSED');
  own.path = path;
}

/** getsockname(2). @throws KernelError EINVAL: the connection was refused */
export function socketName(kernel: Kernel, process: ProcessEntry, fd: number): Endpoint {
  const own = socketOf(kernel, process, fd);
  if (own.broken) throw kernel.error('EINVAL');
  const family = familyOf(own.domain, kernel.layout.families) ?? 'inet';
  const local = own.local ?? { family, address: anyAddress(family), port: 0 };
  return showAddress(process.credential.prison, local);
}

/** getpeername(2). @throws KernelError ENOTCONN */
export function peerName(kernel: Kernel, process: ProcessEntry, fd: number): Endpoint {
  const { remote } = socketOf(kernel, process, fd);
  if (remote === null) throw kernel.error('ENOTCONN');
  return showAddress(process.credential.prison, remote);
}
