import { UNLIMITED } from '../../limits.js';
import type { ResolvedMount } from '../../mounts.js';
import type { PlanStep } from '../../reports.js';
import type { ResolvedSpec } from '../../spec.js';

const WITH_NAMESPACES = 'goes with the jail’s namespaces';

/**
 * What making a jail consists of on Linux, in order.
 *
 * @param spec       what is to be made
 * @param privileged as root: with an id range of its own and addresses that the host reaches
 */
export function planJail(spec: ResolvedSpec, privileged: boolean): readonly PlanStep[] {
  return [
    ...startSteps(spec, privileged),
    ...spec.mounts.map(mountStep),
    ...insideSteps(spec),
    ...networkSteps(spec, privileged),
    step('anchor', 'turn the first process into the anchor', 'execveat', 'kill it'),
    ...limitSteps(spec),
    readyStep(spec),
  ];
}

function step(
  name: string,
  description: string,
  syscall: string | null,
  undo: string | null,
): PlanStep {
  return { step: name, description, syscall, undo };
}

function startSteps(spec: ResolvedSpec, privileged: boolean): PlanStep[] {
  const named = spec.name === null ? '' : ` and the name ${spec.name}`;
  const ids = privileged
    ? 'take a range of 65,536 user and group ids that nobody else uses, and map the jail’s to it'
    : 'make a user namespace in which the caller is root, and map the jail’s root to the caller';
  return [
    step('monitor', 'start the monitor', 'posix_spawn', 'end the monitor'),
    step('register', `take a jid${named}`, 'mkdir', 'remove the registry entry'),
    step('id-map', ids, privileged ? 'clone' : 'unshare', 'give the range back'),
    step('root', rootText(spec), 'open_tree', WITH_NAMESPACES),
    step(
      'namespaces',
      'start the jail’s first process in a pid namespace and a mount namespace of its own',
      'clone',
      'kill it, and with it everything in the jail',
    ),
  ];
}

function rootText({ path, readOnly }: ResolvedSpec): string {
  return `take ${path} as the root${readOnly ? ', read-only' : ''}`;
}

function mountStep(mount: ResolvedMount): PlanStep {
  const source = mount.source === '' ? mount.type : `${mount.source} (nullfs)`;
  const readOnly = mount.readOnly ? ', read-only' : '';
  const options = mount.options === '' ? '' : `, ${mount.options}`;
  const description = `mount ${source} on ${mount.target}${readOnly}${options}`;
  return step('mount', description, 'move_mount', WITH_NAMESPACES);
}

function insideSteps(spec: ResolvedSpec): PlanStep[] {
  return [
    step('pivot', 'make the root the only file system in sight', 'pivot_root', WITH_NAMESPACES),
    step(
      'enter',
      'enter the jail’s user namespace, with hostname, IPC, network and cgroups of its own',
      'setns',
      WITH_NAMESPACES,
    ),
    step('hostname', `set the hostname to ${spec.hostname}`, 'sethostname', WITH_NAMESPACES),
  ];
}

function networkSteps(spec: ResolvedSpec, privileged: boolean): PlanStep[] {
  if (spec.addresses.length === 0) return [];
  const linked = privileged && spec.addresses.some(({ address }) => !isLoopback(address));
  const addresses = spec.addresses.map(({ address }) =>
    step('address', `give the jail ${address}`, 'sendmsg', WITH_NAMESPACES),
  );
  if (!linked) return addresses;
  const link = step(
    'link',
    'make a pair of virtual interfaces between host and jail',
    'sendmsg',
    'remove the pair',
  );
  const route = step(
    'route',
    'route the addresses from the host to the jail',
    'sendmsg',
    'goes with the pair',
  );
  return [link, route, ...addresses];
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function limitSteps({ limits }: ResolvedSpec): PlanStep[] {
  const steps: PlanStep[] = [];
  const whole: string[] = [];
  if (limits.memory !== UNLIMITED) whole.push(`${limits.memory} bytes of memory`);
  if (limits.processes !== UNLIMITED) whole.push(`${limits.processes} processes`);
  if (whole.length > 0) {
    const description = `limit the jail to ${whole.join(' and ')}`;
    steps.push(step('limits', description, 'write', 'remove the control group'));
  }
  if (limits.rlimits.length > 0) {
    const names = limits.rlimits.map(({ name }) => name).join(', ');
    const description = `note the limits of every command: ${names}`;
    steps.push(step('limits', description, null, null));
  }
  return steps;
}

function readyStep({ persist }: ResolvedSpec): PlanStep {
  const ready = persist
    ? 'write the registry entry, and listen for programs that open the jail'
    : 'write the registry entry';
  return step('ready', ready, 'rename', 'remove the registry entry');
}
