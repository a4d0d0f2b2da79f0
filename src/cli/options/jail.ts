import type { JailSpec } from '../../spec.js';
import type { Options, OptionValues } from '../command.js';
import { UsageError } from '../failure.js';
import { parseCapabilities } from './capability.js';
import { limitNames, parseLimits } from './limit.js';
import { parseMount } from './mount.js';

/** The options that describe a jail, of `run` and `plan`. */
export const jailOptions = {
  path: {
    type: 'string',
    short: 'p',
    value: 'DIR',
    completes: 'directory',
    help: 'The root of the jail. Without it, it gets a thin root in a temporary folder.',
  },
  thin: {
    type: 'boolean',
    help: 'Show the host’s programs in the jail, read-only. With `--path` that directory is prepared for it, and stays.',
  },
  include: {
    type: 'string',
    value: 'DIR',
    multiple: true,
    completes: 'directory',
    help: 'In a thin root, show this directory of the host too, read-only.',
  },
  hostname: { type: 'string', value: 'NAME', help: 'The hostname. Default: the name, or `jail`.' },
  name: {
    type: 'string',
    short: 'n',
    value: 'NAME',
    help: 'What the jail is found by: letters, digits and _.',
  },
  ip: {
    type: 'string',
    value: 'IP[,IP…]',
    multiple: true,
    help: 'An address of the jail, IPv4 or IPv6; the first of each family is its primary one. Without any it has no network.',
  },
  interface: {
    type: 'string',
    value: 'IF',
    help: 'Where DragonFly adds the addresses as aliases for the jail’s life.',
  },
  mount: {
    type: 'string',
    short: 'm',
    value: 'TYPE:SOURCE:TARGET[:OPT,…]',
    multiple: true,
    help: 'A file system in the jail: nullfs, devfs, procfs or tmpfs, with ro, noexec, nosuid, size=, mode=. Every type but nullfs has an empty SOURCE.',
  },
  'read-only': {
    type: 'boolean',
    help: 'Nothing can be written to the root; each mount is as its options say. Not on DragonFly.',
  },
  limit: {
    type: 'string',
    value: 'NAME=VALUE',
    multiple: true,
    choices: limitNames,
    help: 'A limit: nofile=1024, cpu=60:90 (soft:hard), memory=512m, processes=100, …',
  },
  cap: {
    type: 'string',
    value: 'NAME[=off]',
    multiple: true,
    completes: 'capability',
    help: 'A capability of the jail’s root, on or off: rawSockets, setHostname=off, …',
  },
} as const satisfies Options;

/** The values of {@link jailOptions}. */
export type JailOptionValues = OptionValues<typeof jailOptions>;

/** What the positional form of jail(8) says. */
export interface JailArguments {
  readonly path?: string;
  readonly hostname?: string;
  readonly addresses?: readonly string[];
}

/**
 * Makes the description of a jail out of the command line. Its path and the mounts of a thin root come later.
 *
 * @param options what was given by options
 * @param positional what was given by position
 * @throws UsageError something was given in both ways, or cannot be read
 */
export function jailSpec(
  options: JailOptionValues,
  positional: JailArguments,
): Omit<JailSpec, 'path'> {
  const { name, interface: device } = options;
  const hostname = once('hostname', options.hostname, positional.hostname) ?? name ?? 'jail';
  return {
    hostname,
    ...(name !== undefined && { name }),
    ...(device !== undefined && { interface: device }),
    addresses: [...(positional.addresses ?? []), ...options.ip.flatMap(splitAddresses)],
    mounts: options.mount.map(parseMount),
    ...(options['read-only'] && { readOnly: true }),
    limits: parseLimits(options.limit),
    capabilities: parseCapabilities(options.cap),
  };
}

/** A value that may be given by an option or by position, but not by both. */
export function once(
  option: string,
  byOption: string | undefined,
  byPosition: string | undefined,
): string | undefined {
  if (byOption === undefined || byPosition === undefined) return byOption ?? byPosition;
  throw new UsageError(`Both ‘${byPosition}’ and --${option} were given`, 'give one of them');
}

/** `10.0.0.7,fd00::7` by its parts; nothing is none. */
export function splitAddresses(text: string): string[] {
  return text.split(',').filter((address) => address !== '');
}
