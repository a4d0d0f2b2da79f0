import type { ResolvedSpec } from '../../spec.js';
import type { CapabilityAccess } from '../dragonfly/capability-access.js';
import { checkHostnameRoom, checkListingBudget } from '../dragonfly/jail-list.js';
import { addressBytes } from '../dragonfly/kernel-address.js';
import { mapJail } from './jail-image.js';
import { mountAll } from './jail-mounts.js';
import type { ModelKernel } from './kernel.js';
import type { ModelProcess } from './model-process.js';
import { inChild } from './monitor.js';
import { removeAlias } from './remove-alias.js';
import type { Stopwatch } from './stopwatch.js';
import { during } from './translate.js';
import type { UndoList } from './undo-list.js';

/** A jail that was made. */
export interface MadeJail {
  readonly jid: number;
  /** The monitor's descriptor of a socket that was opened inside: it keeps the jail alive without any process. */
  readonly anchor: number;
  readonly path: string;
}

const DATAGRAM = 2;

/**
 * Makes a jail, step by step as the native monitor does. What has been done is in `undo`, also when it fails.
 *
 * @throws JailSystemError with the step
 */
export function makeJail(
  kernel: ModelKernel,
  monitor: ModelProcess,
  spec: ResolvedSpec,
  capabilities: CapabilityAccess,
  undo: UndoList,
  watch: Stopwatch,
): MadeJail {
  checkPrivilege(monitor);
  watch.done('privilege');
  const path = resolveRoot(monitor, spec);
  const texts = spec.addresses.map(({ address }) => address);
  checkListingBudget({ path, hostname: spec.hostname, addresses: texts });
  if (spec.capabilities.setHostname) checkHostnameRoom({ path, addresses: texts });
  watch.done('root');
  watch.done('register'); // whoever makes it knows of it: there is no registry on a model
  addAliases(kernel, monitor, spec, undo, watch);
  mountAll(monitor, { ...spec, path }, undo, watch);
  const made = raiseJail(kernel, monitor, { path, hostname: spec.hostname, addresses: texts });
  undo.add('let go of the jail', () => letGo(monitor, made.anchor));
  watch.done('jail');
  const where = { step: 'capabilities', syscall: 'sysctl', jid: made.jid };
  during(where, () => capabilities.write(made.jid, spec.capabilities));
  watch.done('capabilities');
  return { ...made, path };
}

// Everything that can be checked is checked before jail(2): a failed one leaves references behind in the kernel.
function checkPrivilege(monitor: ModelProcess): void {
  if (monitor.uid === 0 && monitor.jid === 0) return;
  during({ step: 'privilege', syscall: 'jail' }, () => {
    throw monitor.error('EPERM');
  });
}

function resolveRoot(monitor: ModelProcess, { path }: ResolvedSpec): string {
  const where = (syscall: string) => ({ step: 'root', syscall, path });
  const real = during(where('realpath'), () => monitor.realpath(path));
  during(where('open'), () => {
    if (monitor.stat(real).kind !== 'directory') throw monitor.error('ENOTDIR');
  });
  return real;
}

const HOLDERS = new WeakMap<ModelKernel, Map<string, Set<UndoList>>>();

/** The jails that share an address which was added for the first of them: the last takes it away. */
function aliasHolders(kernel: ModelKernel, alias: string): Set<UndoList> {
  const all = HOLDERS.get(kernel) ?? new Map<string, Set<UndoList>>();
  HOLDERS.set(kernel, all);
  const holders = all.get(alias) ?? new Set();
  all.set(alias, holders);
  return holders;
}

function addAliases(
  kernel: ModelKernel,
  monitor: ModelProcess,
  spec: ResolvedSpec,
  undo: UndoList,
  watch: Stopwatch,
): void {
  const { interface: name } = spec;
  if (name === null) return;
  for (const { address } of spec.addresses) {
    const where = (syscall: string) => ({ step: 'address', syscall, path: address });
    const known = during(where('getifaddrs'), () => monitor.getifaddrs());
    const there = known.some((own) => own.address === address);
    const bytes = addressBytes(address);
    // What was there before stays, unless it is that of other jails.
    const holders = aliasHolders(kernel, `${name} ${address}`);
    if (!there) during(where('ioctl'), () => monitor.addAlias(name, bytes));
    if (!there || holders.size > 0) {
      holders.add(undo);
      undo.add(`removed ${address} from ${name}`, (by) => {
        if (!holders.has(undo) || holders.size === 1) {
          during(where('ioctl'), () => removeAlias(by, name, bytes));
        }
        holders.delete(undo);
      });
    }
    watch.done('address');
  }
}

// jail(2) imprisons whoever calls it, for good: a child calls it, and hands out a descriptor that holds the jail.
function raiseJail(
  kernel: ModelKernel,
  monitor: ModelProcess,
  spec: { path: string; hostname: string; addresses: readonly string[] },
): { jid: number; anchor: number } {
  const { path } = spec;
  const where = (syscall: string) => ({ step: 'jail', syscall, path });
  return inChild(monitor, 'jail', (child) => {
    during(where('chdir'), () => child.chdir(path));
    during(where('closefrom'), () => child.closeFrom(0));
    const jid = during(where('jail'), () => child.jail(mapJail(child, spec, kernel.layout)));
    const { unix } = kernel.layout.families;
    const inside = during(where('socket'), () => child.socket(unix, DATAGRAM));
    const anchor = during(where('recvmsg'), () => monitor.receive(child, inside));
    return { jid, anchor };
  });
}

function letGo(monitor: ModelProcess, anchor: number): void {
  if (monitor.hasEnded) return; // its descriptors are closed
  during({ step: 'release', syscall: 'close' }, () => monitor.close(anchor));
}
