import { capabilityNodes } from '../../backends/dragonfly/capability-nodes.js';
import { type Capabilities, type CapabilityName, capabilityNames } from '../../capabilities.js';
import { nearestWord } from '../../validate.js';
import { UsageError } from '../failure.js';

/** One capability as it stands on a command line, with whose it is. */
export interface CapabilityText {
  readonly name: CapabilityName;
  /** From the name of a node: `jail.defaults.…` is null, `jail.5.…` is 5; undefined: not said. */
  readonly jid: number | null | undefined;
}

const VALUES: Readonly<Record<string, boolean>> = {
  '1': true,
  on: true,
  yes: true,
  true: true,
  '0': false,
  off: false,
  no: false,
  false: false,
};

/**
 * Finds a capability by any of its names: the package's own, or a node of sysctl(8) of any release.
 *
 * @param text `rawSockets`, `allow_raw_sockets`, `jail.defaults.allow_raw_sockets`, `jail.5.net_raw_sockets`
 * @returns undefined when there is no such name
 */
export function findCapability(text: string): CapabilityText | undefined {
  const [, owner, node] = /^jail\.(?:(defaults|[0-9]+)\.)?([^.]+)$/.exec(text) ?? [];
  if (node === undefined) return bare(text);
  if (owner === undefined) return byNode(node, 'global', null);
  if (owner === 'defaults') return byNode(node, 'template', null);
  return byNode(node, 'jail', Number(owner));
}

function byNode(node: string, kind: 'global' | 'template' | 'jail', jid: number | null) {
  const name = capabilityNames.find((each) => capabilityNodes[each][kind] === node);
  return name === undefined ? undefined : { name, jid };
}

function bare(text: string): CapabilityText | undefined {
  const name = capabilityNames.find((each) => {
    const { global, template, jail } = capabilityNodes[each];
    return text === each || text === template || text === jail || text === global;
  });
  return name === undefined ? undefined : { name, jid: undefined };
}

/**
 * The error of a name that no capability has.
 *
 * @param text what was written
 */
export function noSuchCapability(text: string): UsageError {
  const near = nearestWord(text.replace(/^jail\.([^.]+\.)?/, ''), capabilityNames);
  const hint =
    near === undefined ? `there are ${capabilityNames.join(', ')}` : `did you mean ${near}?`;
  return new UsageError(`There is no capability ‘${text}’`, hint);
}

/**
 * Reads `on`, `off` and what else is said for them.
 *
 * @param value what follows the `=`
 * @throws UsageError
 */
export function parseSwitch(value: string): boolean {
  const on = VALUES[value.toLowerCase()];
  if (on !== undefined) return on;
  throw new UsageError(`‘${value}’ is neither on nor off`, 'use on or off, yes or no, 1 or 0');
}

/**
 * Reads every `--cap NAME[=on|off]`.
 *
 * @param texts such as `rawSockets`, `setHostname=off`
 * @throws UsageError
 */
export function parseCapabilities(texts: readonly string[]): Partial<Capabilities> {
  const capabilities: Partial<Capabilities> = {};
  for (const text of texts) {
    const [name = '', value = 'on'] = text.split('=', 2);
    const found = findCapability(name);
    if (found === undefined || found.jid !== undefined) throw noSuchCapability(name);
    capabilities[found.name] = parseSwitch(value);
  }
  return capabilities;
}
