import type { JailInfo, LingeringConnection } from '../../reports.js';

/** What is known of a jail that has ended and whose jid is held by connections of the kernel's. */
export interface LingeringJail {
  readonly jid: number;
  /** That it had. */
  readonly name: string | null;
  readonly hostname: string;
  readonly path: string;
  readonly addresses: JailInfo['addresses'];
  readonly connections: readonly LingeringConnection[];
}

/** One end of a connection, as the API shows it. */
export function endText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The living and those that linger, by jid. */
export function withLingering(
  living: readonly JailInfo[],
  lingering: readonly LingeringJail[],
): JailInfo[] {
  const known = new Set(living.map(({ jid }) => jid));
  const ended = lingering.filter(({ jid }) => !known.has(jid)).map(lingeringInfo);
  return [...living, ...ended].sort((a, b) => a.jid - b.jid);
}

function lingeringInfo({ addresses, connections, ...jail }: LingeringJail): JailInfo {
  return {
    ...jail,
    addresses: [...addresses],
    state: 'lingering',
    confirmed: true,
    owned: false,
    connections: connections.map((connection) => ({ ...connection })),
  };
}
