import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { selectBackend } from '../backends/select.js';
import type { Jail } from '../jail.js';

const LISTEN = '0A';
const CONNECT_MS = 1000;

/**
 * Does somebody in the network of a process listen on a TCP port?
 *
 * Linux tells by the sockets of the process's network namespace: nothing is sent, and it works where the host cannot
 * reach the jail. Elsewhere a connection to one of the jail's addresses is tried.
 *
 * @param jail whose
 * @param pid  a process of the jail, by the host's number
 * @param port 1 to 65,535
 */
export async function isListening(jail: Jail, pid: number, port: number): Promise<boolean> {
  const { inside } = selectBackend();
  if (inside !== null) return inside.listens(jail.jid, port);
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readTable(pid, name)));
  const known = tables.filter((table) => table !== null);
  if (known.length > 0) return known.some((table) => hasListener(table, port));
  const { addresses } = jail.info();
  const tried = await Promise.all(addresses.map(({ address }) => canConnect(address, port)));
  return tried.includes(true);
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
