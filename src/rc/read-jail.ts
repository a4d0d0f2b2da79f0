import { assertInterfaceName, resolveAddresses } from '../addresses.js';
import type { Capabilities } from '../capabilities.js';
import { resolveHostname } from '../spec.js';
import { assertAbsolutePath } from '../validate.js';
import type { RcJail } from './rc-jail.js';
import { readCapabilities } from './read-capabilities.js';
import { DEFAULT_FLAGS, readFlags } from './read-flags.js';
import { readLimits } from './read-limits.js';
import { readMounts } from './read-mounts.js';
import { badSetting, checked, isYes, type JailSettings, listOf, type Setting } from './settings.js';
import type { Place, RcWarning } from './shell/variables.js';
import { splitWords } from './split-words.js';

const DEFAULT_START = '/bin/sh /etc/rc';
const DEFAULT_STOP = '/bin/sh /etc/rc.shutdown';
/** As rc.shutdown(8) gives itself: `rcshutdown_timeout`. */
const DEFAULT_STOP_SECONDS = 30;
const MAX_SECONDS = 2_147_483;

/** What is the same for all jails of the files. */
export interface Surroundings {
  /** Where the jails are named. */
  readonly jailList: Place;
  readonly capabilities: Partial<Capabilities>;
  readonly warnings: RcWarning[];
}

/**
 * Makes a jail out of its variables, with the defaults and fallbacks of rc.d/jail.
 *
 * @param settings its variables
 * @param around what is the same for all
 * @throws RcError with the file and the line of what is wrong
 */
export function readJail(settings: JailSettings, around: Surroundings): RcJail {
  const { jailList } = around;
  const path = settings.required('rootdir', 'root directory', jailList);
  const hostname = settings.required('hostname', 'hostname', jailList);
  const ip = settings.required('ip', 'IP address', jailList);
  checked(path, () => assertAbsolutePath(path.value, 'path', 'a directory path'));
  checked(hostname, () => resolveHostname(hostname.value));
  return {
    name: settings.name,
    path: path.value,
    hostname: hostname.value,
    addresses: readAddresses(ip),
    interface: readInterface(settings.shared('interface')),
    ...readPrograms(settings, jailList),
    ...readUser(settings, jailList),
    fstab: readFstab(settings),
    devfs: settings.isOn('devfs_enable'),
    procfs: settings.isOn('procfs_enable'),
    mounts: readMounts(settings),
    capabilities: readCapabilities(settings, around.capabilities),
    limits: readLimits(settings),
    dependsOn: listOf(settings.own('depends')?.value ?? ''),
    consoleLog: readPath(settings.shared('consolelog')),
    execStopTimeoutMs: readSeconds(settings.shared('exec_stop_timeout')) * 1000,
    persist: readPersist(settings.shared('persist'), around.warnings),
  };
}

function readAddresses(ip: Setting): readonly string[] {
  const addresses = listOf(ip.value);
  if (addresses.length === 0) throw badSetting(ip, 'there is no address in it');
  checked(ip, () => resolveAddresses(addresses));
  return addresses;
}

function readInterface(found: Setting | null): string | null {
  if (found === null) return null;
  checked(found, () => assertInterfaceName(found.value, 'interface'));
  return found.value;
}

type Programs = Pick<RcJail, 'execStart' | 'execStartArgv' | 'execStop' | 'execStopArgv'>;

// What rc.d/jail does: the old jail_<name>_exec has no exec_stop; a start of one's own has no stop by default.
function readPrograms(settings: JailSettings, jailList: Place): Programs {
  const old = settings.own('exec');
  const start = old ?? settings.shared('exec_start');
  const stop = old === null ? settings.shared('exec_stop') : null;
  const defaultStop = start === null ? DEFAULT_STOP : null;
  const execStart = start?.value ?? DEFAULT_START;
  const execStop = stop?.value ?? defaultStop;
  const execStartArgv = split(execStart, start, jailList);
  if (start !== null && execStartArgv.length === 0)
    throw badSetting(start, 'there is no program in it');
  const execStopArgv = execStop === null ? [] : split(execStop, stop, jailList);
  return { execStart, execStartArgv, execStop, execStopArgv };
}

function split(text: string, found: Setting | null, jailList: Place): readonly string[] {
  return splitWords(text, found?.variable ?? 'jail_list', found ?? jailList);
}

function readUser(
  settings: JailSettings,
  jailList: Place,
): Pick<RcJail, 'flags' | 'user' | 'login'> {
  const found = settings.shared('flags');
  const flags = found?.value ?? DEFAULT_FLAGS;
  return { flags, ...readFlags(split(flags, found, jailList), found) };
}

function readFstab(settings: JailSettings): string | null {
  if (!settings.isOn('mount_enable')) return null;
  return readPath(settings.shared('fstab')) ?? `/etc/fstab.${settings.name}`;
}

function readPath(found: Setting | null): string | null {
  if (found === null) return null;
  checked(found, () => assertAbsolutePath(found.value, 'the file'));
  return found.value;
}

function readSeconds(found: Setting | null): number {
  if (found === null) return DEFAULT_STOP_SECONDS;
  const seconds = /^[0-9]{1,7}$/.test(found.value) ? Number(found.value) : -1;
  if (seconds < 1 || seconds > MAX_SECONDS) {
    throw badSetting(found, `${JSON.stringify(found.value)} is no number of seconds`, 'such as 60');
  }
  return seconds;
}

function readPersist(found: Setting | null, warnings: RcWarning[]): RcJail['persist'] {
  if (found === null) return true;
  return found.value === 'until_empty' ? 'until-empty' : isYes(found, warnings);
}
