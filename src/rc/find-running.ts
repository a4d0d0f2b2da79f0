import { realpathSync } from 'node:fs';
import { listJails } from '../list.js';
import type { JailInfo } from '../reports.js';
import { readIdFile } from './id-file.js';
import type { RcJail } from './rc-jail.js';

/** What there is of a jail. */
export interface Found {
  /** Is there an id file, whatever is in it? */
  readonly hasIdFile: boolean;
  /** The jid in it; null: none that could be believed. */
  readonly writtenJid: number | null;
  /** The running jail of the id file, if it is this one. */
  readonly running: JailInfo | null;
  /** A jail that was started here, without an id file: rc.d/jail has stopped it, or a start was killed. */
  readonly leftover: JailInfo | null;
}

/** What the registry knows a jail of rc.conf by; a name there begins with no digit. */
export function registryName(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/**
 * Looks for a jail: by its id file, and whether the jid in it is still the jail's. A jid is given out again after a
 * while, and from 1 on after each boot.
 *
 * @param jail which
 * @param idFile where its jid would be
 */
export function findRunning(jail: RcJail, idFile: string): Found {
  const { exists, jid } = readIdFile(idFile);
  const jails = listJails();
  const running = jails.find((info) => info.jid === jid && isSame(info, jail)) ?? null;
  const named = jails.find((info) => info.jid !== running?.jid && isOurs(info, jail)) ?? null;
  return { hasIdFile: exists, writtenJid: jid, running, leftover: named };
}

/** Is some jail alive in this root directory? */
export function isInUse(jail: RcJail): boolean {
  return listJails().some((info) => hasPath(info, jail));
}

// Of ours the registry's name is proof; the hostname of it may have been changed from inside.
function isSame(info: JailInfo, jail: RcJail): boolean {
  if (info.name !== null) return isOurs(info, jail);
  return hasPath(info, jail) && info.hostname === jail.hostname;
}

function isOurs(info: JailInfo, jail: RcJail): boolean {
  return info.name === registryName(jail.name) && hasPath(info, jail);
}

function hasPath(info: JailInfo, { path }: RcJail): boolean {
  return info.path === withoutSlashes(path) || info.path === realPath(path);
}

function withoutSlashes(path: string): string {
  return path.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '');
}

// The root of a jail on a model's kernel is not on this machine.
function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
