import { capabilityNodes } from '../backends/dragonfly/capability-nodes.js';
import { type Capabilities, type CapabilityName, capabilityNames } from '../capabilities.js';
import { nearestWord } from '../validate.js';
import { badSetting, isYes, type JailSettings, listOf, type Setting, setting } from './settings.js';
import type { Variables } from './shell/variables.js';

/** The variables for all jails, with the names that they had up to 5.6. */
const DEFAULTS: readonly (readonly [capability: CapabilityName, variable: string, old?: string])[] =
  [
    ['setHostname', 'jail_default_set_hostname_allow', 'jail_set_hostname_allow'],
    ['unixIpRouteOnly', 'jail_default_socket_unixiproute_only', 'jail_socket_unixiproute_only'],
    ['sysvIpc', 'jail_default_sysvipc_allow', 'jail_sysvipc_allow'],
    ['chflags', 'jail_default_chflags_allow'],
    ['rawSockets', 'jail_default_raw_sockets_allow'],
  ];

const WORDS: Readonly<Record<string, boolean>> = { on: true, yes: true, off: false, no: false };

/**
 * What all jails may do: the `jail_default_*` variables. On 5.8 and later rc.d/jail writes them into
 * `jail.defaults.*`; here each jail gets them when it is started.
 *
 * @param variables of all files
 */
export function readDefaultCapabilities(variables: Variables): Partial<Capabilities> {
  const capabilities: Partial<Capabilities> = {};
  for (const [capability, variable, old] of DEFAULTS) {
    const found = setting(variables, variable) ?? (old && setting(variables, old)) ?? null;
    if (found) capabilities[capability] = isYes(found, variables.warnings);
  }
  return capabilities;
}

/**
 * What one jail may do: `jail_<name>_capabilities`, such as `rawSockets setHostname=off`.
 *
 * @param settings of the jail
 * @param defaults of all jails
 * @throws RcError
 */
export function readCapabilities(
  settings: JailSettings,
  defaults: Partial<Capabilities>,
): Partial<Capabilities> {
  const found = settings.shared('capabilities');
  const capabilities = { ...defaults };
  for (const word of listOf(found?.value ?? '')) {
    if (found !== null) Object.assign(capabilities, readWord(word, found));
  }
  return capabilities;
}

function readWord(word: string, found: Setting): Partial<Capabilities> {
  const [text = '', value = 'on'] = word.split('=', 2);
  const name = capabilityNames.find((each) => isNameOf(each, text));
  if (name === undefined) {
    const near = nearestWord(text, capabilityNames);
    const hint = near ? `did you mean ${near}?` : `there are ${capabilityNames.join(', ')}`;
    throw badSetting(found, `There is no capability ${JSON.stringify(text)}`, hint);
  }
  const on = WORDS[value.toLowerCase()];
  if (on === undefined) {
    throw badSetting(
      found,
      `${JSON.stringify(word)} is neither on nor off`,
      `${name}=on or ${name}=off`,
    );
  }
  return { [name]: on };
}

// The names of the sysctl nodes are taken too.
function isNameOf(name: CapabilityName, text: string): boolean {
  const { template, jail } = capabilityNodes[name];
  return text === name || text === template || text === jail;
}
