import type { Capabilities, CapabilityName } from '../../capabilities.js';
import { unsupported } from '../../errors.js';
import type { ResolvedSpec } from '../../spec.js';
import type { Machine } from './machine.js';
import { isAtLeast, MINIMUM_RELEASE } from './release.js';

const MAX_HOSTNAME_BYTES = 64; // __NEW_UTS_LEN

/** Why a jail's packets cannot be filtered by their source. */
export const NO_FILTER =
  'this kernel cannot keep packets with a foreign source from leaving the jail';

const NO_INNER_MOUNTS = 'the jail’s root can mount nothing on Linux';
const MOUNTS_HINT = 'let the jail have it from the start: mounts';

const IMPOSSIBLE: Partial<Record<CapabilityName, readonly [reason: string, hint?: string]>> = {
  listenOverride: ['an address that the host listens on cannot be the jail’s on Linux'],
  chflags: ['Linux has no file flags of that kind'],
  mountNullfs: [NO_INNER_MOUNTS, MOUNTS_HINT],
  mountTmpfs: [NO_INNER_MOUNTS, MOUNTS_HINT],
  mountDevfs: [NO_INNER_MOUNTS, MOUNTS_HINT],
  mountProcfs: [NO_INNER_MOUNTS, MOUNTS_HINT],
  mountFusefs: [NO_INNER_MOUNTS],
};

/**
 * Refuses what Linux cannot do of a spec.
 *
 * @throws JailError `ERR_JAIL_UNSUPPORTED`
 */
export function checkSpec(spec: ResolvedSpec, release: string): void {
  checkRelease(release);
  const bytes = Buffer.byteLength(spec.hostname);
  if (bytes > MAX_HOSTNAME_BYTES) {
    const reason = `a hostname has at most ${MAX_HOSTNAME_BYTES} bytes on Linux`;
    throw unsupported(`A hostname of ${bytes} bytes`, reason);
  }
  checkCapabilities(spec.capabilities);
}

/**
 * Refuses capabilities that mean nothing to Linux.
 *
 * @throws JailError `ERR_JAIL_UNSUPPORTED`
 */
export function checkCapabilities(capabilities: Readonly<Capabilities>): void {
  for (const name of Object.keys(IMPOSSIBLE) as CapabilityName[]) {
    const [reason = '', hint] = IMPOSSIBLE[name] ?? [];
    if (capabilities[name]) throw unsupported(`The capability ${name}`, reason, hint);
  }
}

/**
 * Refuses what the monitor would refuse: packets of any source, from a jail whose sources are not filtered.
 *
 * @param addresses the jail's
 * @throws JailError `ERR_JAIL_UNSUPPORTED`
 */
export function checkRawSockets(addresses: readonly string[], machine: Machine): void {
  const linked = machine.uid === 0 && addresses.some((address) => !isLoopback(address));
  if (!linked || machine.canFilterSources()) return;
  const hint = 'load or install its modules sch_ingress and cls_bpf';
  throw unsupported('The capability rawSockets of a jail with addresses', NO_FILTER, hint);
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function checkRelease(release: string): void {
  if (isAtLeast(release, MINIMUM_RELEASE)) return;
  throw unsupported(`Linux ${release}`, `jails need Linux ${MINIMUM_RELEASE} or later`);
}
