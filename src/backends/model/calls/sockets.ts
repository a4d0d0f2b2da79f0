import type { ConnectionEnd } from '../connections.js';
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
  const closed = () => closeSocket(kernel, made);
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

function closeSocket(kernel: Kernel, closed: ModelSocket): void {
  kernel.sockets.remove(closed);
  // What was never accepted is reset; an end that somebody had lives on for as long as TCP wants it.
  for (const waiting of closed.queue.splice(0)) kernel.connections.reset(waiting);
  if (closed.connection !== null) kernel.connections.close(closed.connection);
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
  const known = any || isMulticast(endpoint.address) || kernel.network.has(endpoint.address);
  if (!known) throw kernel.error('EADDRNOTAVAIL');
  const port = endpoint.port === 0 ? kernel.sockets.ephemeralPort() : endpoint.port;
  if (kernel.sockets.conflict({ ...endpoint, port }, bound)) {
    throw kernel.error('EADDRINUSE');
  }
  bound.local = { ...endpoint, port };
  kernel.sockets.add(bound);
}

function assertOwn(kernel: Kernel, prison: Prison | null, { family, address }: Endpoint): void {
  if (prison === null || prisonAddresses(prison, family).includes(address)) return;
  throw kernel.error('EINVAL');
}

/** Addresses of groups: a datagram socket of the host can be bound to any. */
function isMulticast(address: string): boolean {
  if (address.includes(':')) return /^ff[0-9a-f]{2}:/.test(address);
  const first = Number.parseInt(address, 10);
  return first >= 224 && first <= 239;
}

/** listen(2). */
export function listen(kernel: Kernel, process: ProcessEntry, fd: number): void {
  const bound = socketOf(kernel, process, fd);
  if (bound.local === null) throw kernel.error('EDESTADDRREQ');
  bound.listening = true;
}

/** accept(2): a descriptor of the oldest that waits; its credential is the listener's. @throws KernelError EAGAIN */
export function accept(kernel: Kernel, process: ProcessEntry, fd: number): number {
  const listener = socketOf(kernel, process, fd);
  if (!listener.listening) throw kernel.error('EINVAL');
  const end = listener.queue.shift();
  if (end === undefined) throw kernel.error('EAGAIN');
  const { domain, type, protocol, credential } = listener;
  const made = new ModelSocket(domain, type, protocol, credential);
  Object.assign(made, { local: end.local, remote: end.remote, connection: end });
  const closed = () => closeSocket(kernel, made);
  return install(process, new OpenFile('socket', credential, { socket: made, closed }));
}

function connectionOf(kernel: Kernel, process: ProcessEntry, fd: number): ConnectionEnd {
  const { connection } = socketOf(kernel, process, fd);
  if (connection === null) throw kernel.error('ENOTCONN');
  return connection;
}

/** send(2) of so many bytes. @throws KernelError EPIPE: nobody reads them any more */
export function send(kernel: Kernel, process: ProcessEntry, fd: number, length: number): void {
  const end = connectionOf(kernel, process, fd);
  if (!kernel.connections.send(end, length)) throw kernel.error('EPIPE');
}

/** recv(2) of everything that has come. @returns how many bytes */
export function receive(kernel: Kernel, process: ProcessEntry, fd: number): number {
  return kernel.connections.receive(connectionOf(kernel, process, fd));
}

/** connect(2) of an IP socket. */
export function connect(kernel: Kernel, process: ProcessEntry, fd: number, wanted: Endpoint): void {
  const own = socketOf(kernel, process, fd);
  const { prison } = process.credential;
  const stream = own.type === socketTypes.stream;
  if (stream && isMulticast(wanted.address)) throw kernel.error('EAFNOSUPPORT');
  const remote = replaceLoopback(prison, wanted);
  if (remote === null) throw kernel.error('EAFNOSUPPORT');
  const isReached = kernel.network.reaches(remote.address);
  if (!isReached && remote.family === 'inet6') throw kernel.error('EHOSTUNREACH');
  const source = own.local?.address ?? sourceFor(kernel, prison, remote);
  if (source === null) {
    noSource(kernel, remote.family, stream);
    return;
  }
  const port = own.local?.port ?? kernel.sockets.ephemeralPort();
  own.local = { family: remote.family, address: source, port };
  kernel.sockets.add(own);
  // Nothing is sent of a datagram socket yet: it is connected although there is no way.
  if (stream && !isReached) throw kernel.error('EHOSTUNREACH');
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
  const listener = kernel.sockets.listener(remote);
  if (listener !== undefined) {
    own.remote = remote;
    if (own.local !== null) {
      own.connection = kernel.connections.open(own, own.local, listener, remote);
    }
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
    const of = (addresses: readonly string[]) =>
      addresses.find((own) => familyIs(own, remote.family));
    return of(leaving?.addresses ?? kernel.network.addresses) ?? null;
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
