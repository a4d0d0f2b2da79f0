import { FileSystem } from './vnode.js';

/** A file system with nothing in it. */
export function emptyFileSystem(type: string): FileSystem {
  return new FileSystem(type);
}

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'stdin', 'stdout', 'stderr', 'tty'];
/** What a jail should not see: only rules hide it. */
const DANGEROUS = ['mem', 'kmem', 'io', 'da0'];

/** devfs as it is without any rule. */
export function deviceFileSystem(): FileSystem {
  const devices = new FileSystem('devfs');
  for (const name of [...DEVICES, ...DANGEROUS]) {
    devices.root.entries.set(name, devices.make('device', name));
  }
  return devices;
}
