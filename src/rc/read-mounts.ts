import { type MountSpec, resolveMounts, type TmpfsOptions } from '../mounts.js';
import { badSetting, checked, type JailSettings, listOf, type Setting } from './settings.js';

const MOUNT_HINT = 'such as /usr:/usr:ro /srv/www:/var/www:nosuid,noexec';
const TMPFS_HINT = 'such as /tmp:size=64m,mode=1777 /var/run';

/**
 * The mounts that rc.d/jail does not know of: `jail_<name>_mounts`, directories of the host
 * (`/usr:/usr:ro /srv/www:/var/www`), and `jail_<name>_tmpfs` (`/tmp:size=64m,mode=1777`).
 *
 * @param settings of the jail
 * @throws RcError
 */
export function readMounts(settings: JailSettings): readonly MountSpec[] {
  const directories = readEach(settings.shared('mounts'), readDirectory);
  return [...directories, ...readEach(settings.shared('tmpfs'), readTmpfs)];
}

function readEach(
  found: Setting | null,
  read: (fields: readonly string[], fail: (message: string) => Error) => MountSpec | null,
): MountSpec[] {
  if (found === null) return [];
  return listOf(found.value, /\s+/).map((word) => {
    const hint = read === readTmpfs ? TMPFS_HINT : MOUNT_HINT;
    const fail = (message: string) =>
      badSetting(found, `${JSON.stringify(word)}: ${message}`, hint);
    const mount = read(word.split(':'), fail);
    if (mount === null) throw fail('that is no mount');
    checked(found, () => resolveMounts([mount]));
    return mount;
  });
}

function readDirectory(
  [source, target, options = '', ...more]: readonly string[],
  fail: (message: string) => Error,
): MountSpec | null {
  if (!source || !target || more.length > 0) return null;
  return { type: 'nullfs', source, target, ...readOptions(options, [], fail) };
}

function readTmpfs(
  [target, options = '', ...more]: readonly string[],
  fail: (message: string) => Error,
): MountSpec | null {
  if (!target || more.length > 0) return null;
  return { type: 'tmpfs', target, ...readOptions(options, ['size', 'mode'], fail) };
}

function readOptions(
  list: string,
  values: readonly string[],
  fail: (message: string) => Error,
): Pick<MountSpec, 'readOnly' | 'options'> {
  let readOnly = false;
  const options: Record<string, string | true> = {};
  for (const word of listOf(list)) {
    const [key = '', value] = word.split('=', 2);
    if (word === 'ro' || word === 'rw') readOnly = word === 'ro';
    else if (word === 'noexec' || word === 'nosuid') options[word] = true;
    else if (values.includes(key) && value) options[key] = value;
    else throw fail(`there is no option ${JSON.stringify(word)}`);
  }
  return { readOnly, options: options as TmpfsOptions };
}
