import { type CapabilityName, capabilityNames } from '../../capabilities.js';
import { type CapabilityVocabulary, isKnown } from '../dragonfly/capability-nodes.js';

/** Releases that the model can be. `5.8` stands for 5.8 to 6.2, `6.x` for 6.4 and later. */
export type KernelVersion = '5.6' | '5.8' | '6.x';

/** What releases differ in, as far as jails are concerned. */
export interface VersionTraits {
  readonly release: string;
  readonly vocabulary: CapabilityVocabulary;
  /** A refused write to the hostname leaves the lock of all sysctls behind. */
  readonly leaksHostnameLock: boolean;
  /** Is there `jail.jailed`? */
  readonly tellsJailed: boolean;
  /** Global switches that are on from the start. */
  readonly initiallyOn: readonly CapabilityName[];
}

const TRAITS: Readonly<Record<KernelVersion, VersionTraits>> = {
  '5.6': {
    release: '5.6-RELEASE',
    vocabulary: 'global',
    leaksHostnameLock: true,
    tellsJailed: false,
    initiallyOn: ['setHostname', 'unixIpRouteOnly'],
  },
  '5.8': {
    release: '5.8-RELEASE',
    vocabulary: 'jail',
    leaksHostnameLock: true,
    tellsJailed: true,
    initiallyOn: [],
  },
  '6.x': {
    release: '6.4-RELEASE',
    vocabulary: 'jail-fs',
    leaksHostnameLock: false,
    tellsJailed: true,
    initiallyOn: [],
  },
};

/** What this release is like. */
export function versionTraits(version: KernelVersion): VersionTraits {
  return TRAITS[version];
}

/** The capabilities that jails have on it. */
export function knownCapabilities(version: KernelVersion): CapabilityName[] {
  const { vocabulary } = TRAITS[version];
  return capabilityNames.filter((name) => isKnown(vocabulary, name));
}
