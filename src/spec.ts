import {
  assertInterfaceName,
  type JailAddressInput,
  type ResolvedAddress,
  resolveAddresses,
} from './addresses.js';
import { type Capabilities, initialCapabilities, resolveCapabilities } from './capabilities.js';
import { invalidType, invalidValue } from './errors.js';
import { type Limits, type ResolvedLimits, resolveLimits } from './limits.js';
import { type MountSpec, type ResolvedMount, resolveMounts } from './mounts.js';
import { hasControlCharacter } from './text.js';
import {
  assertAbsolutePath,
  assertBoolean,
  assertKnownKeys,
  assertObject,
  assertText,
} from './validate.js';

/** Everything there is to say of a jail before it exists. Plain data: it can be kept in a file. */
export interface JailSpec {
  /** The directory on the host that becomes the jail's `/`, absolute. See jail(2). */
  path: string;
  /** 1–255 bytes without white space and control characters. Linux itself takes 64 bytes only. */
  hostname: string;
  /** `[A-Za-z_][A-Za-z0-9_]*`, at most 63 bytes, used by no other jail: what `Jail.open()` finds it by. */
  name?: string;
  /** Any number of both families; the first of each is what the jail's connections come from. None: no network. */
  addresses?: readonly JailAddressInput[];
  /** The interface to which DragonFly adds the addresses as aliases for the jail's life. */
  interface?: string;
  /** What is left out stays at its default. */
  capabilities?: Partial<Capabilities>;
  /** Mounted in this order, unmounted in reverse. */
  mounts?: readonly MountSpec[];
  /**
   * Nothing can be written to the root, nor to what the host has mounted below it; `mounts` are as each of them says.
   * Not on DragonFly, where a root is a directory of the host's. Default false.
   */
  readOnly?: boolean;
  /**
   * For every command of the jail, whoever starts it; see `SpawnOptions.noNewPrivileges`. Not on DragonFly. Default
   * false.
   */
  noNewPrivileges?: boolean;
  /** Inherited by every command; those of a command can only lower them. */
  limits?: Limits;
  /**
   * true: the jail outlives this program. `'until-empty'`: it does, but ends by itself when the last process of it has
   * ended, as a jail of jail(8) does; commands end with the program that started them. Default false: it ends with this
   * program.
   */
  persist?: boolean | 'until-empty';
}

/** A checked {@link JailSpec} with every default filled in. */
export interface ResolvedSpec {
  readonly path: string;
  readonly hostname: string;
  readonly name: string | null;
  readonly addresses: readonly ResolvedAddress[];
  readonly interface: string | null;
  readonly capabilities: Readonly<Capabilities>;
  readonly mounts: readonly ResolvedMount[];
  readonly readOnly: boolean;
  readonly noNewPrivileges: boolean;
  readonly limits: ResolvedLimits;
  readonly persist: boolean;
  /** It ends when no process is left in it; not before one was. */
  readonly untilEmpty: boolean;
}

const PROPERTIES = [
  'path',
  'hostname',
  'name',
  'addresses',
  'interface',
  'capabilities',
  'mounts',
  'readOnly',
  'noNewPrivileges',
  'limits',
  'persist',
] as const satisfies readonly (keyof JailSpec)[];

const HINTS = {
  root: 'use path',
  ip: 'use addresses',
  ips: 'use addresses',
  host: 'use hostname',
  env: 'give it to spawn()',
  user: 'give it to spawn()',
  command: 'use spawn() or exec()',
} as const;

const MAX_HOSTNAME_BYTES = 255;
const MAX_NAME_BYTES = 63;

/**
 * Checks a {@link JailSpec} and fills in its defaults. Nothing outside of the argument is looked at: whether the
 * directory exists, for one, is for `Jail.create()` to find out.
 *
 * @param spec what the caller gave
 * @param defaults the capabilities of a jail that says nothing of them
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveSpec(
  spec: unknown,
  defaults: Readonly<Capabilities> = initialCapabilities(),
): ResolvedSpec {
  assertObject(spec, 'spec', 'an object describing the jail');
  assertKnownKeys(spec, PROPERTIES, 'spec', HINTS);
  return {
    path: resolvePath(spec.path),
    hostname: resolveHostname(spec.hostname),
    name: spec.name === undefined ? null : resolveName(spec.name),
    addresses: resolveAddresses(spec.addresses),
    interface: resolveInterface(spec.interface),
    capabilities: resolveCapabilities(spec.capabilities, 'capabilities', defaults),
    mounts: resolveMounts(spec.mounts),
    readOnly: resolveFlag(spec.readOnly, 'readOnly'),
    noNewPrivileges: resolveFlag(spec.noNewPrivileges, 'noNewPrivileges'),
    limits: resolveLimits(spec.limits),
    persist: resolvePersist(spec.persist),
    untilEmpty: spec.persist === 'until-empty',
  };
}

// '..' stays: only the kernel knows where it leads when symbolic links are about.
function resolvePath(value: unknown): string {
  assertAbsolutePath(value, 'path', 'a directory path');
  return value;
}

/**
 * Checks a hostname. White space would let one jail's row in DragonFly's `jail.list` pass for several.
 *
 * @param value what the caller gave
 * @param name the argument, for messages
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveHostname(value: unknown, name = 'hostname'): string {
  assertText(value, name, 'a hostname');
  if (value === '' || Buffer.byteLength(value) > MAX_HOSTNAME_BYTES) {
    throw invalidValue(name, `a hostname of 1 to ${MAX_HOSTNAME_BYTES} bytes`, value);
  }
  if (/\s/.test(value) || hasControlCharacter(value)) {
    throw invalidValue(name, 'a hostname without white space and control characters', value);
  }
  return value;
}

/**
 * Checks the name of a jail.
 *
 * @param value what the caller gave
 * @param name the argument, for messages
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveName(value: unknown, name = 'name'): string {
  const expected = 'a name of letters, digits and _ that starts with no digit';
  if (typeof value !== 'string') throw invalidType(name, expected, value);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) throw invalidValue(name, expected, value);
  if (value.length > MAX_NAME_BYTES) {
    throw invalidValue(name, `a name of at most ${MAX_NAME_BYTES} bytes`, value);
  }
  return value;
}

function resolveInterface(value: unknown): string | null {
  if (value === undefined) return null;
  assertInterfaceName(value, 'interface');
  return value;
}

function resolveFlag(value: unknown, name: string): boolean {
  if (value === undefined) return false;
  assertBoolean(value, name);
  return value;
}

function resolvePersist(value: unknown): boolean {
  if (value === undefined) return false;
  if (value === 'until-empty') return true;
  assertBoolean(value, 'persist');
  return value;
}

export type { MountOptions, MountSpec, MountType, TmpfsOptions } from './mounts.js';
