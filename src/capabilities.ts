import { invalidValue } from './errors.js';
import { assertBoolean, assertKnownKeys, assertObject } from './validate.js';

/** What a jail's root may do beyond the ordinary. See jail(8) and sysctl `jail.defaults` on DragonFly. */
export interface Capabilities {
  /** Change the jail's hostname. On by default. */
  setHostname: boolean;
  /** System V shared memory, semaphores and message queues: they are shared with the host on DragonFly. */
  sysvIpc: boolean;
  /** Raw sockets, for ping(8) and its kind. */
  rawSockets: boolean;
  /** Only UNIX, IPv4, IPv6 and routing sockets; off lifts that restriction. On by default. */
  unixIpRouteOnly: boolean;
  /** Listen on the jail's address where the host already listens on all of its own. */
  listenOverride: boolean;
  /** Change file flags such as `schg`, see chflags(1). */
  chflags: boolean;
  /** Mount nullfs inside. */
  mountNullfs: boolean;
  /** Mount tmpfs inside. */
  mountTmpfs: boolean;
  /** Mount devfs inside. */
  mountDevfs: boolean;
  /** Mount procfs inside. */
  mountProcfs: boolean;
  /** Mount FUSE file systems inside. */
  mountFusefs: boolean;
}

/** The name of a capability. */
export type CapabilityName = keyof Capabilities;

/** All names; a capability's place is its bit in docs/monitor-protocol.md. */
export const capabilityNames = [
  'setHostname',
  'sysvIpc',
  'rawSockets',
  'unixIpRouteOnly',
  'listenOverride',
  'chflags',
  'mountNullfs',
  'mountTmpfs',
  'mountDevfs',
  'mountProcfs',
  'mountFusefs',
] as const satisfies readonly CapabilityName[];

/**
 * What a jail may do when nothing else is said: change its hostname, and open UNIX, IP and routing sockets only.
 *
 * @returns a fresh object
 */
export function initialCapabilities(): Capabilities {
  return decodeCapabilities(bitOf('setHostname') | bitOf('unixIpRouteOnly'));
}

/**
 * Checks capabilities and fills in what was left out.
 *
 * @param value some capabilities by name; undefined is none
 * @param name the argument, for messages
 * @param base what holds for those that are left out
 * @returns all of them, a fresh object
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (a capability that does not exist)
 */
export function resolveCapabilities(
  value: unknown,
  name: string,
  base: Readonly<Capabilities>,
): Capabilities {
  const resolved = { ...base };
  if (value === undefined) return resolved;
  assertObject(value, name, 'an object of capabilities');
  assertKnownKeys(value, capabilityNames, name);
  for (const capability of capabilityNames) {
    const wanted = value[capability];
    if (wanted === undefined) continue;
    assertBoolean(wanted, `${name}.${capability}`);
    resolved[capability] = wanted;
  }
  return resolved;
}

/**
 * Capabilities as the monitor and the registry have them.
 *
 * @returns one bit each, see {@link capabilityNames}
 */
export function encodeCapabilities(capabilities: Readonly<Capabilities>): number {
  let bits = 0;
  for (const name of capabilityNames) if (capabilities[name]) bits |= bitOf(name);
  return bits;
}

/**
 * The reverse of {@link encodeCapabilities}.
 *
 * @param bits one bit each
 * @throws JailError `ERR_INVALID_ARG_VALUE` for a bit that has no name
 */
export function decodeCapabilities(bits: number): Capabilities {
  if (!Number.isInteger(bits) || bits < 0 || bits >= 1 << capabilityNames.length) {
    throw invalidValue('bits', `an integer below ${1 << capabilityNames.length}`, bits);
  }
  const has = (name: CapabilityName) => (bits & bitOf(name)) !== 0;
  return {
    setHostname: has('setHostname'),
    sysvIpc: has('sysvIpc'),
    rawSockets: has('rawSockets'),
    unixIpRouteOnly: has('unixIpRouteOnly'),
    listenOverride: has('listenOverride'),
    chflags: has('chflags'),
    mountNullfs: has('mountNullfs'),
    mountTmpfs: has('mountTmpfs'),
    mountDevfs: has('mountDevfs'),
    mountProcfs: has('mountProcfs'),
    mountFusefs: has('mountFusefs'),
  };
}

function bitOf(name: CapabilityName): number {
  return 1 << capabilityNames.indexOf(name);
}
