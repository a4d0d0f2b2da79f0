import { type as osType } from 'node:os';
import { invalidValue } from '../../errors.js';
import { exclusively } from '../../exclusively.js';
import type { MountSpec } from '../../mounts.js';
import { parseMasterPasswd } from '../accounts/master-passwd.js';
import { passwordDatabases } from '../accounts/password-databases.js';
import { etcFiles } from '../etc-files.js';
import type { MissingLibrary } from '../libraries/load.js';
import { normalPath } from '../paths.js';
import { Tree } from '../tree.js';
import { Accounts } from './accounts.js';
import { Collector } from './collect.js';
import { addLoaderFiles, addOpenedLibraries, hasKind } from './name-service.js';
import {
  type CheckedDirectory,
  type CheckedFile,
  type CheckedOptions,
  checkOptions,
  type OwnerName,
  type ServiceRootOptions,
} from './options.js';
import { type FileOrigin, type Owner, RootPlan } from './plan.js';
import { writeRoot } from './write.js';

/** A file of a service root. */
export interface PlacedFile {
  /** Its path in the root, without links. */
  readonly target: string;
  /** The file of this system that it is; null for one that was made for the root. */
  readonly source: string | null;
  /** The program or library that needs it; null for what was asked for and what every root has. */
  readonly neededBy: string | null;
}

/** What {@link buildServiceRoot} made. */
export interface ServiceRoot {
  /** To be given to `Jail.create()`: /dev, /proc and /tmp of the jail's own. */
  readonly mounts: MountSpec[];
  /** What is in the root, in the order of the paths. */
  readonly files: readonly PlacedFile[];
  /** Libraries that were not found, of files that were not named one by one but are in directories of `files`. */
  readonly missing: readonly MissingLibrary[];
}

// Links of the system's root directory that programs count on, where it has them.
const SYSTEM_LINKS = ['bin', 'sbin', 'lib', 'lib64', 'lib32', 'libx32'];
const MAX_PASSWORD_FILE = 1 << 20;
const MASTER_HINT =
  'Ten fields, with a uid and a gid, in at most 2,046 bytes; lines of NIS are not taken.';
const FOLDERS: readonly (readonly [string, number])[] = [
  ['/dev', 0o755],
  ['/etc', 0o755],
  ['/proc', 0o755],
  ['/root', 0o700],
  ['/run', 0o755],
  ['/tmp', 0o1777],
  ['/var', 0o755],
  ['/var/run', 0o755],
  ['/var/tmp', 0o1777],
];

/**
 * Makes a directory the root of jails that run a few programs, and nothing else is in it than what those need.
 *
 * The programs come with their loader, every library, and the interpreters of scripts; found by reading the files
 * themselves, as the loader does (`DT_NEEDED`, `DT_RPATH`, `DT_RUNPATH`, `$ORIGIN`, the cache of ldconfig(8), the
 * directories of the system), without running anything. Paths and symbolic links are those of this system. Static
 * programs bring nothing. Libraries that a program opens by name while it runs cannot be seen in it: name them in
 * `files`, except for what the C library opens, which comes along.
 *
 * Beside them there are accounts (/etc/passwd, /etc/group; on DragonFly /etc/master.passwd and the databases that
 * pwd_mkdb(8) makes of it too), /etc/hosts, /etc/nsswitch.conf, an empty /etc/resolv.conf, and the usual empty
 * directories. All of these can be replaced by `files`; the databases are those of the master.passwd that is there then.
 *
 * Nothing is written before everything was found, and when something fails then, what was made is taken back. For a
 * root that was built before the new one takes its place file by file: what an earlier build made and this one does
 * not is removed, everything else that is in it stays (data, and what was made in the jail). Two builds of one program
 * into the same directory follow each other.
 *
 * @param path    absolute path of a directory that is missing, empty, or was built before
 * @param options see {@link ServiceRootOptions}
 * @returns the mounts for `Jail.create()`, and what is in the root
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: arguments that make no sense, an unknown user
 * @throws ProgramError `ERR_JAIL_BAD_PROGRAM`: a file that is no program, or a broken one;
 *   `ERR_JAIL_MISSING_LIBRARY`, `ERR_JAIL_MISSING_INTERPRETER`: what is missing, and who needs it
 * @throws JailSystemError step `root`: `ENOENT` (a program or file is not there), `ENOTEMPTY` (something else is in the
 *   directory), `EISDIR`, `ENOTDIR`, `ELOOP` (something else stands in a file's place), `EACCES`, `EPERM`, `ENOSPC`, …
 * @see elf(5), ld.so(8), rtld(1)
 * @example
 * const path = '/var/jails/www';
 * const { mounts } = await buildServiceRoot(path, {
 *   programs: ['/usr/sbin/nginx'],
 *   files: ['/etc/nginx/mime.types', { target: '/etc/nginx/nginx.conf', content: settings }],
 *   directories: ['/var/log/nginx', '/var/lib/nginx'],
 *   users: ['www-data'],
 * });
 * const jail = await Jail.create({ path, mounts, hostname: 'www', addresses: ['10.0.0.7'] });
 */
export async function buildServiceRoot(
  path: string,
  options: ServiceRootOptions,
): Promise<ServiceRoot> {
  const root = normalPath(path, 'path');
  const checked = checkOptions(options, root);
  return exclusively(`service root ${root}`, async () => {
    const system = Tree.open('/');
    try {
      const { plan, missing } = await planRoot(system, checked);
      await writeRoot(root, plan, checked.method);
      return { mounts: mountsFor(plan), files: filesOf(plan), missing };
    } finally {
      system.close();
    }
  });
}

async function planRoot(
  system: Tree,
  { programs, files, directories, users, libraryPath }: CheckedOptions,
): Promise<{ plan: RootPlan; missing: readonly MissingLibrary[] }> {
  const plan = new RootPlan();
  addSkeleton(plan, system);
  const collector = new Collector(system, plan, libraryPath);
  for (const [index, path] of programs.entries()) {
    collector.program(path, `options.programs[${index}]`);
  }
  addOpenedLibraries(collector);
  const linux = isLinux(collector);
  const accounts = new Accounts(linux);
  accounts.add(users, system);
  addEtc(plan, accounts, linux);
  for (const directory of directories) addDirectory(plan, directory, accounts);
  for (const file of files) {
    const owner = ownerOf(file, accounts);
    await collector.file(file, { mode: file.mode, owner });
  }
  if (!linux) addPasswordDatabases(plan, system);
  addLoaderFiles(collector, plan);
  return { plan, missing: collector.missing };
}

function addSkeleton(plan: RootPlan, system: Tree): void {
  for (const name of SYSTEM_LINKS) {
    const text = system.linkText(`/${name}`);
    const place = text === null ? null : system.find(`/${name}`);
    if (text === null || place?.kind !== 'directory') continue;
    plan.folder(place.path, 'path');
    plan.link(`/${name}`, text, 'path');
  }
  for (const [path, mode] of FOLDERS) plan.folder(path, 'path', { mode });
}

/** Of which system are the programs? Without one that tells, it is the one that this is. */
function isLinux({ loaded }: Collector): boolean {
  if (hasKind(loaded, 'bsd')) return false;
  return hasKind(loaded, 'glibc') || hasKind(loaded, 'musl') || osType() === 'Linux';
}

function addEtc(plan: RootPlan, accounts: Accounts, linux: boolean): void {
  const texts = new Map(etcFiles(linux));
  texts.set('passwd', accounts.passwd());
  texts.set('group', accounts.group());
  for (const [name, content] of texts) addText(plan, `/etc/${name}`, content, 0o644);
  if (!linux) addText(plan, '/etc/master.passwd', accounts.masterPasswd(), 0o600);
}

/** Of the master.passwd(5) that will be there, the caller's included; the caller's databases stay. */
function addPasswordDatabases(plan: RootPlan, system: Tree): void {
  const master = plan.get('/etc/master.passwd');
  if (master?.kind !== 'file') return;
  const { accounts, badLine } = parseMasterPasswd(bytesOf(master.from, system));
  if (badLine !== null) {
    const expected = 'lines that pwd_mkdb(8) takes';
    throw invalidValue('/etc/master.passwd', expected, `line ${badLine}`, MASTER_HINT);
  }
  const { pwd, spwd } = passwordDatabases(accounts);
  if (!plan.holdsFile('/etc/pwd.db')) addText(plan, '/etc/pwd.db', pwd, 0o644);
  if (!plan.holdsFile('/etc/spwd.db')) addText(plan, '/etc/spwd.db', spwd, 0o600);
}

function bytesOf(from: FileOrigin, system: Tree): Uint8Array {
  if ('content' in from) return Buffer.from(from.content);
  return system.read(from.source, (file) => file.read(0, Math.min(file.size, MAX_PASSWORD_FILE)));
}

function addText(plan: RootPlan, path: string, content: string | Uint8Array, mode: number): void {
  plan.file(path, 'path', { from: { content }, mode, owner: null, neededBy: null });
}

function addDirectory(plan: RootPlan, directory: CheckedDirectory, accounts: Accounts): void {
  const { name, path, mode } = directory;
  plan.folder(path, name, { mode: mode ?? 0o755, owner: ownerOf(directory, accounts) });
}

function ownerOf(
  { name, user, group }: Pick<CheckedFile, 'name'> & Record<'user' | 'group', OwnerName | null>,
  accounts: Accounts,
): Owner | null {
  if (user === null && group === null) return null;
  return {
    uid: user === null ? null : accounts.uid(user, `${name}.user`),
    gid: group === null ? null : accounts.gid(group, `${name}.group`),
  };
}

function mountsFor(plan: RootPlan): MountSpec[] {
  const devices: MountSpec[] = [
    { type: 'devfs', target: '/dev' },
    { type: 'procfs', target: '/proc' },
  ];
  // It would hide what is to be there.
  const taken = plan.entries().some(([path]) => path.startsWith('/tmp/'));
  const scratch: MountSpec = { type: 'tmpfs', target: '/tmp', options: { mode: '1777' } };
  return taken ? devices : [...devices, scratch];
}

function filesOf(plan: RootPlan): PlacedFile[] {
  return plan.entries().flatMap(([target, entry]) => {
    if (entry.kind !== 'file') return [];
    const source = 'source' in entry.from ? entry.from.source : null;
    return [{ target, source, neededBy: entry.neededBy }];
  });
}
