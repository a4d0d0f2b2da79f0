import type { ResolvedMount } from '../../mounts.js';
import type { PlanStep } from '../../reports.js';
import type { ResolvedSpec } from '../../spec.js';

/**
 * What making a jail consists of on DragonFly, in order.
 *
 * @param spec what is to be made
 */
export function planJail(spec: ResolvedSpec): readonly PlanStep[] {
  const named = spec.name === null ? '' : ` with the name ${spec.name}`;
  return [
    step('monitor', 'start the monitor', 'posix_spawn', 'end the monitor'),
    step('privilege', 'make sure that this is root, and not in a jail', 'geteuid', null),
    step('root', `resolve ${spec.path}`, 'realpath', null),
    step('register', `register the jail${named}`, 'mkdir', 'remove the registry entry'),
    ...aliasSteps(spec),
    ...spec.mounts.map((mount) => mountStep(spec, mount)),
    step('jail', jailText(spec), 'jail', 'let go of the descriptor that holds it'),
    step('capabilities', 'write every capability of the jail', 'sysctl', 'gone with the jail'),
    step('ready', 'write the registry entry', 'rename', 'remove the registry entry'),
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

function aliasSteps(spec: ResolvedSpec): PlanStep[] {
  const { interface: interfaceName } = spec;
  if (interfaceName === null) return [];
  return spec.addresses.map(({ address }) => {
    const description = `add ${address} to ${interfaceName}, unless the host has it`;
    return step('address', description, 'ioctl', `remove ${address} from ${interfaceName}`);
  });
}

function mountStep(
  spec: ResolvedSpec,
  { type, source, target, readOnly }: ResolvedMount,
): PlanStep {
  const what = source === '' ? type : `${source} (nullfs)`;
  const rules = type === 'devfs' ? ', and hide all but the harmless devices' : '';
  const how = readOnly ? ', read-only' : '';
  const at = `${spec.path === '/' ? '' : spec.path}${target}`;
  return step('mount', `mount ${what} on ${at}${how}${rules}`, 'mount', `unmount ${at}`);
}

function jailText({ path, hostname, addresses }: ResolvedSpec): string {
  const some = addresses.length === 0 ? 'no address' : `${addresses.length} addresses`;
  return `a child calls jail(2) for ${path} as ${hostname} with ${some}, and hands out a descriptor that holds it`;
}
