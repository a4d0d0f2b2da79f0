import { invalidType, invalidValue } from './errors.js';
import {
  assertAbsolutePath,
  assertArray,
  assertBoolean,
  assertInteger,
  assertKnownKeys,
  assertObject,
  assertOneOf,
} from './validate.js';

/** The file systems that a jail can be given. */
export type MountType = 'nullfs' | 'devfs' | 'procfs' | 'tmpfs';

/** What every mount may forbid. */
export interface MountOptions {
  /** No program may be executed from there. Default false. */
  noexec?: boolean;
  /** Set-user-id bits have no effect there. Default false; always so on Linux. */
  nosuid?: boolean;
}

/** Options of a tmpfs. */
export interface TmpfsOptions extends MountOptions {
  /** The most it may hold: bytes, or with a unit (`'64m'`: k, m, g, powers of 1024). Default: the system's. */
  size?: number | string;
  /** Permissions of its root, as a number or in octal digits (`'1777'`). Default: the mount point’s. */
  mode?: number | string;
}

/** One file system in the jail. See mount_null(8), devfs(5), procfs(5), tmpfs(5). */
export interface MountSpec {
  /** `nullfs`: a directory of the host; `devfs`: harmless devices; `procfs`: the jail’s processes; `tmpfs`: memory. */
  type: MountType;
  /** The mount point as the jail sees it: absolute, without `..`, and existing. */
  target: string;
  /** nullfs only: the directory of the host that appears there, absolute. */
  source?: string;
  /** Nothing can be written there. Default false. */
  readOnly?: boolean;
  /** `size` and `mode` are for tmpfs only. */
  options?: TmpfsOptions;
}

/** A checked mount as the monitor takes it. */
export interface ResolvedMount {
  readonly type: MountType;
  /** Its number in docs/monitor-protocol.md. */
  readonly typeNumber: number;
  /** Without repeated or trailing slashes. */
  readonly target: string;
  /** Empty where the type has none. */
  readonly source: string;
  readonly readOnly: boolean;
  /** 1 read-only, 2 noexec, 4 nosuid. */
  readonly flags: number;
  /** `key=value`, joined by commas. */
  readonly options: string;
}

const TYPES = ['nullfs', 'devfs', 'procfs', 'tmpfs'] as const satisfies readonly MountType[];
const FLAG = { readOnly: 1, noexec: 2, nosuid: 4 } as const;
const UNITS = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 } as const;

/** More would be a mistake. */
export const MAX_MOUNTS = 256;

/**
 * Checks the mounts of a jail.
 *
 * @param value a list of {@link MountSpec}; undefined is an empty one
 * @param name the argument, for messages
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveMounts(value: unknown, name = 'mounts'): readonly ResolvedMount[] {
  if (value === undefined) return [];
  assertArray(value, name, 'an array of mounts');
  if (value.length > MAX_MOUNTS) throw invalidValue(name, `at most ${MAX_MOUNTS} mounts`, value);
  const targets = new Set<string>();
  return Array.from(value, (item: unknown, index) => {
    const mount = resolveMount(item, `${name}[${index}]`);
    if (targets.has(mount.target)) {
      throw invalidValue(`${name}[${index}].target`, 'a target of its own', mount.target);
    }
    targets.add(mount.target);
    return mount;
  });
}

function resolveMount(value: unknown, name: string): ResolvedMount {
  assertObject(value, name, 'an object describing a mount');
  assertKnownKeys(value, ['type', 'target', 'source', 'readOnly', 'options'], name);
  const { type } = value;
  assertOneOf(type, `${name}.type`, TYPES);
  const readOnly = flag(value.readOnly, `${name}.readOnly`);
  const options = mountOptions(value.options, `${name}.options`, type);
  return {
    type,
    typeNumber: TYPES.indexOf(type) + 1,
    target: mountTarget(value.target, `${name}.target`),
    source: mountSource(value.source, `${name}.source`, type),
    readOnly,
    flags: (readOnly ? FLAG.readOnly : 0) | options.flags,
    options: options.text,
  };
}

function mountTarget(value: unknown, name: string): string {
  const expected = 'a path inside the jail';
  assertAbsolutePath(value, name, expected);
  const parts = value.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw invalidValue(name, `${expected} without '..'`, value);
  if (parts.length === 0) throw invalidValue(name, 'a path below the root of the jail', value);
  return `/${parts.join('/')}`;
}

function mountSource(value: unknown, name: string, type: MountType): string {
  if (type === 'nullfs') {
    assertAbsolutePath(value, name, 'a directory path');
    return value;
  }
  if (value !== undefined) throw invalidValue(name, `no source with ${type}`, value);
  return '';
}

function mountOptions(value: unknown, name: string, type: MountType) {
  if (value === undefined) return { flags: 0, text: '' };
  assertObject(value, name, 'an object of mount options');
  const known = ['noexec', 'nosuid', ...(type === 'tmpfs' ? ['size', 'mode'] : [])];
  const onlyTmpfs = 'only a tmpfs has one';
  assertKnownKeys(value, known, name, { size: onlyTmpfs, mode: onlyTmpfs });
  const noexec = flag(value.noexec, `${name}.noexec`) ? FLAG.noexec : 0;
  const nosuid = flag(value.nosuid, `${name}.nosuid`) ? FLAG.nosuid : 0;
  const text: string[] = [];
  if (value.size !== undefined) text.push(`size=${tmpfsSize(value.size, `${name}.size`)}`);
  if (value.mode !== undefined) text.push(`mode=${tmpfsMode(value.mode, `${name}.mode`)}`);
  return { flags: noexec | nosuid, text: text.join(',') };
}

function flag(value: unknown, name: string): boolean {
  if (value === undefined) return false;
  assertBoolean(value, name);
  return value;
}

function tmpfsSize(value: unknown, name: string): number {
  if (typeof value === 'number') {
    assertInteger(value, name, 1);
    return value;
  }
  const expected = "a size in bytes, or one with a unit such as '64m'";
  if (typeof value !== 'string') throw invalidType(name, expected, value);
  const [, digits = '', unit = ''] = /^(\d{1,15})([kmg]?)$/i.exec(value) ?? [];
  const bytes = Number(digits) * UNITS[unit.toLowerCase() as keyof typeof UNITS];
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw invalidValue(name, expected, value);
  return bytes;
}

function tmpfsMode(value: unknown, name: string): string {
  const expected = "permissions as a number up to 0o7777 or as octal digits such as '1777'";
  if (typeof value !== 'number' && typeof value !== 'string') {
    throw invalidType(name, expected, value);
  }
  const octal = typeof value === 'string' ? value.replace(/^0o?/, '') || '0' : null;
  const mode = octal === null ? value : /^[0-7]{1,4}$/.test(octal) ? Number.parseInt(octal, 8) : -1;
  if (typeof mode !== 'number' || !Number.isInteger(mode) || mode < 0 || mode > 0o7777) {
    throw invalidValue(name, expected, value);
  }
  return mode.toString(8).padStart(4, '0');
}
