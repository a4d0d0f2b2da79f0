import type { CapabilityName } from '../../capabilities.js';
import { type CapabilityVocabulary, capabilityNodes } from '../dragonfly/capability-nodes.js';
import { layout59 } from '../dragonfly/layout-5.9.js';
import { sysctlFlags, sysctlTypes } from '../dragonfly/sysctl-value.js';
import type { Kernel } from './kernel-state.js';
import type { Prison } from './prison.js';
import { bitLeaf, intLeaf, SysctlBranch, type SysctlLeaf } from './sysctl-tree.js';
import { knownCapabilities } from './versions.js';

const JAIL = 257;

const TEXTS: Readonly<Record<CapabilityName, string>> = {
  setHostname: 'Processes in jail can set their hostnames',
  sysvIpc: 'Processes in jail can use System V IPC primitives',
  unixIpRouteOnly: 'Processes in jail are limited to creating UNIX/IPv[46]/route sockets only',
  rawSockets: 'Process in jail can create raw sockets',
  listenOverride: 'Process in jail can override host wildcard listen',
  chflags: 'Processes in jail can alter system file flags',
  mountNullfs: 'Process in jail can mount nullfs(5) filesystems',
  mountTmpfs: 'Process in jail can mount tmpfs(5) filesystems',
  mountDevfs: 'Process in jail can mount devfs(5) filesystems',
  mountProcfs: 'Process in jail can mount procfs(5) filesystems',
  mountFusefs: 'Process in jail can mount fuse(4) filesystems',
};

// The kernel's own tables: order and texts are its, two of the texts have changed places there.
const TEMPLATE_ORDER: readonly CapabilityName[] = [
  'mountFusefs',
  'mountProcfs',
  'mountDevfs',
  'mountTmpfs',
  'mountNullfs',
  'listenOverride',
  'rawSockets',
  'chflags',
  'sysvIpc',
  'unixIpRouteOnly',
  'setHostname',
];
const JAIL_ORDER: readonly CapabilityName[] = [
  'setHostname',
  'sysvIpc',
  'unixIpRouteOnly',
  'rawSockets',
  'listenOverride',
  'chflags',
  'mountNullfs',
  'mountTmpfs',
  'mountDevfs',
  'mountProcfs',
  'mountFusefs',
];
const JAIL_TEXTS: Readonly<Partial<Record<CapabilityName, string>>> = {
  listenOverride: TEXTS.rawSockets,
  chflags: TEXTS.listenOverride,
  mountNullfs: TEXTS.mountNullfs.replace('Process ', 'Processes '),
  mountTmpfs: TEXTS.mountTmpfs.replace('Process ', 'Processes '),
};
// Two bits of 6.x are not in the header of 5.9; which ones they are does not show.
const BITS: Readonly<Partial<Record<CapabilityName, number>>> = {
  ...layout59.capabilityBits,
  mountProcfs: 48,
  mountFusefs: 49,
};
/** The name buffer of a jail's branch: five digits and the NUL. */
const NAME_DIGITS = 5;

/** Adds the tree `jail`, and keeps it up to date as jails come and go. */
export function addJailTree(kernel: Kernel, root: SysctlBranch): void {
  const jail = root.add('jail', new SysctlBranch(), JAIL);
  const { tellsJailed, vocabulary } = kernel.traits;
  if (tellsJailed) {
    jail.add(
      'jailed',
      intLeaf('Process in jail?', (reader) => (reader.jid === 0 ? 0 : 1)),
    );
  }
  jail.add('list', listLeaf(kernel));
  if (vocabulary === 'global') addGlobalNodes(kernel, jail);
  else addTemplate(kernel, jail.add('defaults', new SysctlBranch()), vocabulary);
  if (vocabulary !== 'global') followJails(kernel, jail);
}

function listLeaf(kernel: Kernel): SysctlLeaf {
  return {
    kind: (sysctlFlags.read | sysctlTypes.string) >>> 0,
    format: 'A',
    description: 'List of active jails',
    read(reader) {
      const inside = reader.credential.prison !== null;
      return Buffer.from(inside ? '' : kernel.prisons.list(reader.root));
    },
  };
}

function addGlobalNodes(kernel: Kernel, jail: SysctlBranch): void {
  for (const name of JAIL_ORDER) {
    const { global } = capabilityNodes[name];
    if (global === null) continue;
    const read = () => (kernel.template.has(name) ? 1 : 0);
    jail.add(
      global,
      intLeaf(TEXTS[name], read, (_writer, value) => change(kernel.template, name, value !== 0)),
    );
  }
}

function addTemplate(
  kernel: Kernel,
  defaults: SysctlBranch,
  _vocabulary: CapabilityVocabulary,
): void {
  const known = new Set(knownCapabilities(kernel.version));
  for (const name of TEMPLATE_ORDER.filter((candidate) => known.has(candidate))) {
    defaults.add(
      capabilityNodes[name].template,
      capabilityLeaf(name, TEXTS[name], 0, kernel.template),
    );
  }
}

// A branch whose name is taken already is shared: its leaves stay those of the jail that was there first, and go with
// it, and the branch goes with the last. So the nodes of a longer number are another jail's, or none.
function followJails(kernel: Kernel, jail: SysctlBranch): void {
  const known = new Set(knownCapabilities(kernel.version));
  const sharers = new Map<string, Prison[]>();
  kernel.prisons.onChange((prison, event) => {
    const name = String(prison.jid).slice(0, NAME_DIGITS);
    const before = sharers.get(name) ?? [];
    const after =
      event === 'gone' ? before.filter((other) => other !== prison) : [...before, prison];
    sharers.set(name, after);
    if (before.length === 0) jail.add(name, jailBranch(prison, known));
    else if (after.length === 0) jail.remove(name);
    else if (before[0] !== after[0]) jail.add(name, new SysctlBranch());
  });
}

function jailBranch(prison: Prison, known: ReadonlySet<CapabilityName>): SysctlBranch {
  const branch = new SysctlBranch();
  for (const name of JAIL_ORDER.filter((candidate) => known.has(candidate))) {
    const text = JAIL_TEXTS[name] ?? TEXTS[name];
    const leaf = capabilityLeaf(name, text, sysctlFlags.dynamic, prison.capabilities);
    branch.add(capabilityNodes[name].jail, leaf);
  }
  return branch;
}

function capabilityLeaf(
  name: CapabilityName,
  text: string,
  flags: number,
  word: Set<CapabilityName>,
): SysctlLeaf {
  return bitLeaf(
    BITS[name] ?? 0,
    text,
    flags,
    () => word.has(name),
    (value) => change(word, name, value),
  );
}

function change(word: Set<CapabilityName>, name: CapabilityName, value: boolean): void {
  if (value) word.add(name);
  else word.delete(name);
}
