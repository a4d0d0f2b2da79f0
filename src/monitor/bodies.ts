import { constants } from 'node:os';
import { type ResolvedAddress, scopeIndex } from '../addresses.js';
import { encodeCapabilities } from '../capabilities.js';
import { JailSystemError } from '../errors.js';
import type { Identity, ResolvedSpawn } from '../spawn-options.js';
import type { ResolvedSpec } from '../spec.js';
import {
  type CommandBody,
  commandFlags,
  identityKinds,
  type SpecBody,
  specFlags,
} from './protocol.js';

/**
 * A checked spec as the monitor takes it.
 *
 * @throws JailSystemError `ENODEV`, step `address`: a scope names an interface that is not there
 */
export function specBody(spec: ResolvedSpec, stateDir: string): SpecBody {
  return {
    stateDir,
    path: spec.path,
    hostname: spec.hostname,
    name: spec.name ?? '',
    addresses: spec.addresses.map(({ address }) => address),
    scopeids: spec.addresses.map(scopeNumber),
    interface: spec.interface ?? '',
    capabilities: encodeCapabilities(spec.capabilities),
    mounts: spec.mounts.map((mount) => ({ ...mount, type: mount.typeNumber })),
    limits: spec.limits.rlimits,
    memory: spec.limits.memory,
    processes: spec.limits.processes,
    flags: flagsOfSpec(spec),
  };
}

function flagsOfSpec(spec: ResolvedSpec): number {
  return (
    (spec.persist ? specFlags.persist : 0) |
    (spec.untilEmpty ? specFlags.untilEmpty : 0) |
    (spec.readOnly ? specFlags.readOnlyRoot : 0) |
    (spec.noNewPrivileges ? specFlags.noNewPrivileges : 0)
  );
}

/** A checked command as the monitor takes it; `slots` are its descriptors by the protocol's numbers. */
export function commandBody(command: ResolvedSpawn, slots: readonly number[]): CommandBody {
  const user = identity(command.user);
  const group = identity(command.group);
  return {
    file: command.file,
    argv: command.argv,
    env: command.env,
    // Empty: the home directory, which only the monitor can look up.
    cwd: command.cwd ?? (command.login ? '' : '/'),
    userKind: user.kind,
    user: user.name,
    uid: user.id,
    groupKind: group.kind,
    group: group.name,
    gid: group.id,
    limits: command.limits,
    flags: flagsOf(command),
    stdio: slots,
    terminalType: command.terminalType,
    groups: command.groups ?? [],
  };
}

function flagsOf(command: ResolvedSpawn): number {
  return (
    (command.login ? commandFlags.login : 0) |
    (command.pty === null ? 0 : commandFlags.terminal) |
    (command.searchPath ? commandFlags.searchPath : 0) |
    (command.groups === null ? 0 : commandFlags.groups) |
    (command.defaultPath ? commandFlags.defaultPath : 0) |
    (command.noNewPrivileges ? commandFlags.noNewPrivileges : 0)
  );
}

interface IdentityFields {
  readonly kind: number;
  readonly name: string;
  readonly id: number;
}

const NOBODY_IN_PARTICULAR: IdentityFields = { kind: identityKinds.none, name: '', id: 0 };

function identity(value: Identity | null): IdentityFields {
  if (value === null) return NOBODY_IN_PARTICULAR;
  if (typeof value === 'string') return { kind: identityKinds.name, name: value, id: 0 };
  return { kind: identityKinds.id, name: '', id: value };
}

function scopeNumber({ scopeid }: ResolvedAddress): number {
  if (typeof scopeid !== 'string') return scopeid ?? 0;
  const index = scopeIndex(scopeid);
  if (index !== null) return index;
  throw new JailSystemError({
    errno: constants.errno.ENODEV,
    syscall: 'if_nametoindex',
    step: 'address',
    path: scopeid,
  });
}
