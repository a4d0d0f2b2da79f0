import type { ModelProcess } from './model-process.js';
import { during } from './translate.js';
import type { UndoList } from './undo-list.js';
import { unmountOne } from './unmount-one.js';

const STEP = 'mount';
const FOLDER = '/var/run/dragonfly-jail/dev';
const OFFERED = 'jail';
const DEVICES = [
  'null',
  'zero',
  'full',
  'random',
  'urandom',
  'tty',
  'ptmx',
  'stdin',
  'stdout',
  'stderr',
];
const FOLDERS = ['fd', 'pts'];

/**
 * Mounts a devfs outside of the jail, as the native monitor does, with the harmless devices in one folder: in a jail any
 * devfs could be rid of its rules, see docs/dragonfly.md.
 *
 * @returns the folder that a jail may have
 * @throws JailSystemError step `mount`
 */
export function mountPrivateDevfs(monitor: ModelProcess, undo: UndoList): string {
  const path = makeFolder(monitor);
  const where = (syscall: string) => ({ step: STEP, syscall, path });
  undo.add(`removed ${path}`, (by) => during(where('rmdir'), () => by.rmdir(path)));
  undo.add(`cleared the rules of ${path}`, (by) => {
    during(where('ioctl'), () => by.clearDeviceRules(path));
  });
  during(where('ioctl'), () => {
    for (const name of DEVICES) monitor.addDeviceLink(path, name, `${OFFERED}/${name}`);
    for (const name of FOLDERS) monitor.addDeviceLink(path, `${name}/*`, `${OFFERED}/${name}/`);
  });
  const mounted = during(where('mount'), () => monitor.mount('devfs', path));
  undo.add(`unmounted ${path}`, (by) => unmountOne(by, mounted));
  return `${path}/${OFFERED}`;
}

function makeFolder(monitor: ModelProcess): string {
  let at = '';
  for (const part of FOLDER.split('/').slice(1)) {
    at += `/${part}`;
    makeOne(monitor, at);
  }
  for (let number = 0; ; number++) {
    const path = `${FOLDER}/${monitor.pid}.${number}`;
    if (makeOne(monitor, path)) return path;
  }
}

function makeOne(monitor: ModelProcess, path: string): boolean {
  return during({ step: STEP, syscall: 'mkdir', path }, () => {
    try {
      monitor.create(path, 'directory');
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
      return false;
    }
  });
}
