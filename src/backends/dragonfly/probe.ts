import type { Feature, Probe } from '../../reports.js';
import type { CapabilityAccess } from './capability-access.js';

const AVAILABLE: Feature = { available: true };

/**
 * What this kernel can do for this user.
 *
 * @param backend      `dragonfly`, or the model of it
 * @param release      the kernel's release
 * @param privileged   is it root?
 * @param jailed       is it in a jail itself?
 * @param capabilities which ones the kernel knows
 */
export function probeDragonfly(
  backend: Probe['backend'],
  release: string,
  privileged: boolean,
  jailed: boolean,
  capabilities: CapabilityAccess,
): Probe {
  const root = rootFeature(privileged, jailed);
  const { vocabulary } = capabilities;
  return {
    backend,
    release,
    privileged,
    features: {
      jails: root,
      users: root,
      capabilitiesPerJail: missing(
        vocabulary === 'global',
        'all jails of this kernel have the same',
      ),
      mountInside: missing(vocabulary === 'global', 'this kernel lets jails mount nothing'),
      denySetHostname: missing(
        vocabulary !== 'jail-fs',
        'a refused sethostname(3) would leave the lock of all sysctls of this kernel held',
      ),
      memoryLimit: { available: false, reason: 'DragonFly has no limit of a whole jail' },
      processLimit: { available: false, reason: 'DragonFly has no limit of a whole jail' },
      persist: root,
      pty: AVAILABLE,
      attachThisProcess: root,
    },
  };
}

function rootFeature(privileged: boolean, jailed: boolean): Feature {
  if (jailed) {
    const reason = 'a process in a jail can neither make nor enter jails';
    return { available: false, reason, hint: 'run the program on the host' };
  }
  if (privileged) return AVAILABLE;
  return { available: false, reason: 'it needs root', hint: 'run the program as root' };
}

function missing(isMissing: boolean, reason: string): Feature {
  return isMissing ? { available: false, reason } : AVAILABLE;
}
