import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { InsideView } from './backends/backend.js';
import type { JailInfo, ProcessInfo } from './reports.js';

const LISTEN = '0A';
const CONNECT_MS = 1000;

/** A jail, as far as its inside is looked at. */
export interface Looked {
  readonly jid: number;
  /** Null: the system's own files tell. */
  readonly inside: InsideView | null;
  info(): JailInfo;
  processes(): ProcessInfo[];
}

/**
 * Does somebody in a jail listen on a TCP port?
 *
 * Linux tells by the sockets of the jail's network namespace: nothing is sent, and it works where the host cannot
 * reach the jail. Elsewhere a connection to one of the jail's addresses is tried.
 *
 * @param jail whose
 * @param port 1 to 65,535
 */
export async function listensInside(jail: Looked, port: number): Promise<boolean> {
  if (jail.inside !== null) return jail.inside.listens(jail.jid, port);
  const processes = jail.processes();
  for (const { pid } of processes) {
    const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readTable(pid, name)));
    const known = tables.filter((table) => table !== null);
    // All processes of a jail have one network.
    if (known.length > 0) return known.some((table) => hasListener(table, port));
  }
  if (processes.length === 0) return false;
  const tried = jail.info().addresses.map(({ address }) => canConnect(address, port));
  return (await Promise.all(tried)).includes(true);
}

/** Is the port listened on, by a table as /proc/net/tcp? See proc_net_tcp. */
export function hasListener(table: string, port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === LISTEN && local?.endsWith(wanted) === true;
  });
}

function readTable(pid: number, name: string): Promise<string | null> {
  return readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => null);
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
