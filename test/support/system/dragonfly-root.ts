import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MountSpec } from 'dragonfly-jail';

// devfsctl(8): what a jail may have, as links in one folder of a devfs of its own.
const RULES = `jail yes
${['null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'stdin', 'stdout', 'stderr']
  .map((name) => `link ${name} jail/${name}`)
  .join('\n')}
link pts/* jail/pts/
link fd/* jail/fd/
`;

interface Place {
  /** The root of the jails. */
  readonly path: string;
  /** A folder beside it. */
  readonly outside: string;
  /** Without /dev and /proc: the jails make them. */
  readonly ownDevices: boolean;
}

/** Mounts what a root of jails needs by the programs of DragonFly's base system; returns what takes it back. */
export function mountAsAdministrator(mounts: readonly MountSpec[], place: Place): () => void {
  const done: string[] = [];
  const devices = join(place.outside, 'devfs');
  for (const mount of mounts) {
    const target = join(place.path, mount.target);
    if (mount.type === 'nullfs') run('mount_null', '-o', 'ro', mount.source ?? '', target);
    else if (mount.type === 'tmpfs') run('mount_tmpfs', '-m', '1777', 'tmpfs', target);
    else if (mount.type === 'devfs' && !place.ownDevices)
      done.push(...mountDevices(devices, target));
    else continue;
    if (mount.type !== 'devfs') done.push(target);
  }
  if (place.ownDevices) writeFileSync(join(place.path, 'dev', 'null'), '', { mode: 0o666 });
  return () => {
    for (const target of done.reverse()) run('umount', target);
    if (!place.ownDevices) run('devfsctl', '-m', devices, '-c');
  };
}

function mountDevices(devices: string, target: string): string[] {
  const rules = `${devices}.rules`;
  mkdirSync(devices);
  writeFileSync(rules, RULES);
  run('devfsctl', '-m', devices, '-a', '-f', rules);
  run('mount', '-t', 'devfs', '-o', 'jail', 'devfs', devices);
  run('mount_null', join(devices, 'jail'), target);
  return [devices, target];
}

function run(file: string, ...args: string[]): void {
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
