import type { DeviceLink } from './calls/devfs.js';
import { FileSystem, type Vnode } from './vnode.js';

/** A file system with nothing in it. */
export function emptyFileSystem(type: string): FileSystem {
  return new FileSystem(type);
}

const DEVICES = [
  'null',
  'zero',
  'full',
  'random',
  'urandom',
  'stdin',
  'stdout',
  'stderr',
  'tty',
  'ptmx',
];
const FOLDERS = ['fd', 'pts'];
/** What a jail should not see. */
const DANGEROUS = ['devfs', 'mem', 'kmem', 'io', 'bpf', 'da0'];

/** devfs: all devices, with further names by rules. */
export function deviceFileSystem(links: readonly DeviceLink[] = []): FileSystem {
  const devices = new FileSystem('devfs');
  const { root } = devices;
  for (const name of [...DEVICES, ...DANGEROUS]) {
    root.entries.set(name, devices.make('device', name));
  }
  for (const name of FOLDERS) root.entries.set(name, devices.make('directory', name));
  for (const { device, link } of links) addLink(devices, device, link);
  return devices;
}

function addLink(devices: FileSystem, device: string, link: string): void {
  const [name = ''] = device.split('/');
  const target = devices.root.entries.get(name);
  const parts = link.split('/').filter((part) => part !== '');
  const last = parts.pop() ?? '';
  if (target !== undefined) folderOf(devices, parts).entries.set(last, target);
}

function folderOf(devices: FileSystem, parts: readonly string[]): Vnode {
  let at = devices.root;
  for (const part of parts) {
    const next = at.entries.get(part) ?? devices.make('directory', part);
    at.entries.set(part, next);
    at = next;
  }
  return at;
}
