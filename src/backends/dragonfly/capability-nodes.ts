import { type Capabilities, type CapabilityName, capabilityNames } from '../../capabilities.js';

/** The names that kernels have had for the capabilities of jails. */
export type CapabilityVocabulary =
  /** Up to 5.6: five switches for all jails together. */
  | 'global'
  /** 5.8 to 6.2: a template, and nodes of each jail. */
  | 'jail'
  /** 6.4 and later: the same with more file systems. */
  | 'jail-fs';

/** The nodes of one capability. */
export interface CapabilityNodes {
  /** Below `jail.`, up to 5.6. */
  readonly global: string | null;
  /** Below `jail.defaults.`. */
  readonly template: string;
  /** Below `jail.<jid>.`: another name for the same bit. */
  readonly jail: string;
  readonly since: CapabilityVocabulary;
}

function nodes(
  template: string,
  jail: string,
  since: CapabilityVocabulary,
  global: string | null = null,
): CapabilityNodes {
  return { global, template, jail, since };
}

/** One vocabulary outside, three inside. See sys/kern/kern_jail.c of each release. */
export const capabilityNodes: Readonly<Record<CapabilityName, CapabilityNodes>> = {
  setHostname: nodes('set_hostname_allowed', 'sys_set_hostname', 'global', 'set_hostname_allowed'),
  sysvIpc: nodes('sysvipc_allowed', 'sys_sysvipc', 'global', 'sysvipc_allowed'),
  rawSockets: nodes('allow_raw_sockets', 'net_raw_sockets', 'global', 'allow_raw_sockets'),
  unixIpRouteOnly: nodes(
    'socket_unixiproute_only',
    'net_unixiproute',
    'global',
    'socket_unixiproute_only',
  ),
  listenOverride: nodes('allow_listen_override', 'allow_listen_override', 'jail'),
  chflags: nodes('chflags_allowed', 'vfs_chflags', 'global', 'chflags_allowed'),
  mountNullfs: nodes('vfs_mount_nullfs', 'vfs_mount_nullfs', 'jail'),
  mountTmpfs: nodes('vfs_mount_tmpfs', 'vfs_mount_tmpfs', 'jail'),
  mountDevfs: nodes('vfs_mount_devfs', 'vfs_mount_devfs', 'jail-fs'),
  mountProcfs: nodes('vfs_mount_procfs', 'vfs_mount_procfs', 'jail-fs'),
  mountFusefs: nodes('vfs_mount_fusefs', 'vfs_mount_fusefs', 'jail-fs'),
};

/** The last jid that has nodes of its own: the kernel cuts their names after five digits. */
export const MAX_NODE_JID = 99_999;

/** Can this jail's nodes be used? Those of a longer jid are cut, and may be another jail's. */
export function hasOwnNodes(jid: number): boolean {
  return Number.isInteger(jid) && jid >= 1 && jid <= MAX_NODE_JID;
}

/** The node of a jail's capability. @throws RangeError for a jid without nodes */
export function jailNode(jid: number, name: CapabilityName): string {
  if (!hasOwnNodes(jid)) throw new RangeError(`jail ${jid} has no nodes of its own`);
  return `jail.${jid}.${capabilityNodes[name].jail}`;
}

/** The node that every new jail takes its capability from; up to 5.6 the one that holds for all jails. */
export function defaultNode(vocabulary: CapabilityVocabulary, name: CapabilityName): string | null {
  const node = capabilityNodes[name];
  if (vocabulary === 'global') return node.global === null ? null : `jail.${node.global}`;
  return isKnown(vocabulary, name) ? `jail.defaults.${node.template}` : null;
}

/** Has a kernel of that vocabulary this capability? */
export function isKnown(vocabulary: CapabilityVocabulary, name: CapabilityName): boolean {
  const order: readonly CapabilityVocabulary[] = ['global', 'jail', 'jail-fs'];
  return order.indexOf(capabilityNodes[name].since) <= order.indexOf(vocabulary);
}

/**
 * Finds out which names this kernel has, by what is there and not by its version: releases have taken changes back.
 *
 * @param exists is there a node of that name (sysctl(3) does not say ENOENT)?
 * @returns null: it has no jails
 */
export function detectVocabulary(exists: (node: string) => boolean): CapabilityVocabulary | null {
  if (exists('jail.defaults.vfs_mount_devfs')) return 'jail-fs';
  if (exists('jail.defaults.set_hostname_allowed')) return 'jail';
  if (exists('jail.set_hostname_allowed')) return 'global';
  return exists('jail.list') ? 'global' : null;
}

/** Reads all capabilities by their nodes; what the kernel does not know is false. */
export function readCapabilities(
  vocabulary: CapabilityVocabulary,
  read: (node: string) => number,
  nodeOf: (name: CapabilityName) => string | null,
): Capabilities {
  const values = Object.fromEntries(
    capabilityNames.map((name) => {
      const node = isKnown(vocabulary, name) ? nodeOf(name) : null;
      return [name, node !== null && read(node) !== 0];
    }),
  );
  return values as Record<CapabilityName, boolean>;
}
