import type { LingeringConnection } from '../../reports.js';
import { addressText } from '../dragonfly/kernel-address.js';
import { endText, type LingeringJail } from '../dragonfly/lingering.js';
import type { ConnectionEnd, ConnectionState } from './connections.js';
import type { ModelKernel } from './kernel.js';
import type { Endpoint } from './network.js';
import type { Prison } from './prison.js';

/** Those that come after the process's own close. */
const ENDING: readonly ConnectionState[] = [
  'FIN_WAIT_1',
  'FIN_WAIT_2',
  'CLOSING',
  'LAST_ACK',
  'TIME_WAIT',
];

/** What is noted of a jail when it has ended. */
export type Ended = Omit<LingeringJail, 'jid' | 'connections'>;

/** By kernel, for all programs on it: what the registry of the real one is. */
const NOTES = new WeakMap<ModelKernel, Map<Prison, Ended>>();

function notesOf(kernel: ModelKernel): Map<Prison, Ended> {
  const notes = NOTES.get(kernel) ?? new Map<Prison, Ended>();
  NOTES.set(kernel, notes);
  return notes;
}

/** Is that all there is of a jail: no process, and connections at its addresses that come to their end? */
export function isHeldByConnections(kernel: ModelKernel, prison: Prison): boolean {
  const lives = kernel.processes.all.some(
    ({ credential, isZombie }) => credential.prison === prison && !isZombie,
  );
  return !lives && endingConnections(kernel, prison).length > 0;
}

/** It is nobody's jail any more, although the kernel lists it. */
export function noteLingering(kernel: ModelKernel, prison: Prison, ended: Ended): void {
  notesOf(kernel).set(prison, ended);
}

/** Those that the kernel still has. */
export function lingeringJails(kernel: ModelKernel): LingeringJail[] {
  const notes = notesOf(kernel);
  kernel.connections.expire();
  for (const prison of notes.keys()) {
    if (kernel.prisons.find(prison.jid) !== prison) notes.delete(prison);
  }
  return [...notes].map(([prison, ended]) => {
    const connections = endingConnections(kernel, prison).map(describe);
    return { ...ended, jid: prison.jid, connections };
  });
}

// By the address, as the real one has to tell them: a connection does not say whose it was.
function endingConnections(kernel: ModelKernel, { addresses }: Prison): ConnectionEnd[] {
  const own = addresses
    .filter(({ family }) => family !== 'other')
    .map(({ bytes }) => addressText(bytes));
  return kernel.connections.all.filter(
    ({ state, local }) => ENDING.includes(state) && own.includes(local.address),
  );
}

function describe({ local, remote, state }: ConnectionEnd): LingeringConnection {
  const text = ({ address, port }: Endpoint) => endText(address, port);
  return { local: text(local), remote: text(remote), state };
}
