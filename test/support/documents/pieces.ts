// What the documents say that their pieces of code have: a jail, and the description of another one. A module that is
// loaded by a piece, in the world that `world.ts` has made.
import { mkdirSync, writeFileSync } from 'node:fs';
import { Jail, type JailSpec } from 'dragonfly-jail';
import { prepareThinRoot } from 'dragonfly-jail/rootfs';

async function rootOf(name: string): Promise<JailSpec> {
  const path = `/var/jails/of-the-documents/${name}`;
  const { mounts } = await prepareThinRoot(path, { include: ['/opt', '/srv'] });
  for (const folder of ['var/db', 'var/log', 'var/run'])
    mkdirSync(`${path}/${folder}`, { recursive: true });
  writeFileSync(`${path}/var/log/messages`, 'a line\n');
  return { path, mounts, hostname: `${name}.example.org` };
}

export const spec = await rootOf('spec');

/** For the services of docs/supervisor.md. */
export const dbRoot: JailSpec = { ...(await rootOf('db')), addresses: ['10.0.2.1'] };
export const webRoot: JailSpec = { ...(await rootOf('web')), addresses: ['10.0.2.2'] };

export const jail = await Jail.create({
  ...(await rootOf('jail')),
  addresses: ['10.0.0.1', 'fd00::1'],
});
jail.unref();

/** To be called at the end: waits for what runs in the jail, and ends it. */
export async function settle(): Promise<void> {
  await Promise.all(jail.commands().map(({ exited }) => exited));
  await jail.stop({ graceMs: 0 });
}
