import { capabilityNodes } from '../../backends/dragonfly/capability-nodes.js';
import { selectBackend } from '../../backends/select.js';
import { type Capabilities, type CapabilityName, capabilityNames } from '../../capabilities.js';
import { defaultCapabilities, setDefaultCapabilities } from '../../capability-defaults.js';
import { unsupported } from '../../errors.js';
import { Jail } from '../../jail.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { jailId } from '../find-jail.js';
import { type Io, printJson } from '../io.js';
import { findCapability, noSuchCapability, parseSwitch } from '../options/capability.js';
import { printTable } from '../output/print-table.js';

/** `dfjail tune`, what the sysctls of jails are for. */
export const command = defineCommand({
  name: 'tune',
  summary: 'show and change what jails may do',
  synopsis: ['[--json] [JAIL] [CAPABILITY…]', '[--json] [JAIL] CAPABILITY=on|off…'],
  description: [
    'Shows or changes the capabilities of a jail, given by jid or name, or without a JAIL those that new jails start with. A capability is called by its own name or by any name that sysctl(8) has for it: `rawSockets`, `allow_raw_sockets`, `jail.defaults.allow_raw_sockets`, `jail.5.net_raw_sockets`. Several are changed together or not at all.',
    'A change holds at once on DragonFly, on Linux for commands that are started later, and there only in jails that stay (`dfjail run --persist`). The defaults are the kernel’s on DragonFly; Linux has none that outlive a program: use `dfjail run --cap`.',
  ],
  options: {
    jail: {
      type: 'string',
      short: 'j',
      value: 'JAIL',
      completes: 'jail',
      help: 'The jail, where its name might be taken for a capability.',
    },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  completes: 'capability',
  examples: [
    { command: 'dfjail tune', text: 'The defaults' },
    {
      command: 'dfjail tune jail.defaults.allow_raw_sockets=1',
      text: 'Let new jails use ping, on DragonFly',
    },
    { command: 'dfjail tune www rawSockets=on sysvIpc=off', text: 'Change a jail' },
  ],
  exitCodes: commonExitCodes,
  async call({ options, positionals, json, io }) {
    const request = readRequest(options.jail, positionals);
    const capabilities = await tune(request);
    const shown = request.shown.length === 0 ? capabilityNames : request.shown;
    print(request, capabilities, shown, json, io);
    return undefined;
  },
});

interface Request {
  /** Whose; null: the defaults. */
  readonly jail: number | string | null;
  readonly changes: Partial<Capabilities>;
  /** All that were named. */
  readonly shown: readonly CapabilityName[];
}

function readRequest(option: string | undefined, words: readonly string[]): Request {
  const [first] = words;
  const named = option === undefined && first !== undefined && isJail(first);
  const given = named ? first : option;
  const owners = new Set<number | string | null>(given === undefined ? [] : [jailId(given)]);
  const changes: Partial<Capabilities> = {};
  const shown: CapabilityName[] = [];
  for (const word of named ? words.slice(1) : words) {
    const [text = '', value] = word.split('=', 2);
    const found = findCapability(text);
    if (found === undefined) throw noSuchCapability(text);
    if (found.jid !== undefined) owners.add(found.jid);
    shown.push(found.name);
    if (value !== undefined) changes[found.name] = parseSwitch(value);
  }
  const [jail = null, ...more] = owners;
  if (more.length > 0) throw new UsageError('One jail at a time, or the defaults');
  return { jail, changes, shown };
}

function isJail(word: string): boolean {
  return !word.includes('=') && !word.startsWith('jail.') && findCapability(word) === undefined;
}

async function tune({ jail, changes }: Request): Promise<Capabilities> {
  const changing = Object.keys(changes).length > 0;
  if (jail === null) {
    if (changing) changeDefaults(changes);
    return defaultCapabilities();
  }
  const handle = await Jail.open(jail);
  try {
    if (changing) handle.setCapabilities(changes);
    return handle.capabilities();
  } finally {
    await handle[Symbol.asyncDispose]();
  }
}

function changeDefaults(changes: Partial<Capabilities>): void {
  if (selectBackend().name === 'linux') {
    const reason = 'on Linux they would hold for dfjail itself only, which ends now';
    throw unsupported('Changing the defaults', reason, 'use dfjail run --cap, or tune a jail');
  }
  setDefaultCapabilities(changes);
}

function print(
  { jail }: Request,
  capabilities: Capabilities,
  shown: readonly CapabilityName[],
  json: boolean,
  io: Io,
): void {
  if (json) {
    const values = Object.fromEntries(shown.map((name) => [name, capabilities[name]]));
    printJson(io.stdout, { jail, capabilities: values });
    return;
  }
  const prefix = jail === null ? 'jail.defaults' : 'jail.JID';
  const kind = jail === null ? 'template' : 'jail';
  printTable(
    io,
    [
      { title: 'CAPABILITY', text: (name) => name },
      {
        title: 'VALUE',
        text: (name) => (capabilities[name] ? 'on' : 'off'),
        paint: (name, colour) => (capabilities[name] ? colour.good : colour.dim),
      },
      { title: 'SYSCTL', least: 8, text: (name) => `${prefix}.${capabilityNodes[name][kind]}` },
    ],
    shown,
  );
}
