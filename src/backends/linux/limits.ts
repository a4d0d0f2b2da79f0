import type { Capabilities, CapabilityName } from '../../capabilities.js';
import { unsupported } from '../../errors.js';
import type { ResolvedSpec } from '../../spec.js';
import { isAtLeast, MINIMUM_RELEASE } from './release.js';

const MAX_HOSTNAME_BYTES = 64; // __NEW_UTS_LEN

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

function checkRelease(release: string): void {
  if (isAtLeast(release, MINIMUM_RELEASE)) return;
  throw unsupported(`Linux ${release}`, `jails need Linux ${MINIMUM_RELEASE} or later`);
}
