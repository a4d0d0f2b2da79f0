import { setImmediate as turn } from 'node:timers/promises';
import { JailSystemError } from '../errors.js';
import { Budget, TooMuch } from './budget.js';
import { isElf } from './elf/parse.js';
import { Loader } from './libraries/load.js';
import { normalPath } from './paths.js';
import { ProgramError } from './program-error.js';
import { isServiceMarker, MARKER, MAX_MARKER } from './service/manifest.js';
import { parseScriptLine, START_OF_PROGRAM } from './service/script.js';
import { isThinMarker } from './thin.js';
import { Tree } from './tree.js';

/** What {@link inspectRoot} found. */
export interface RootInspection {
  /**
   * `'complete'`: a whole system, with a shell and what starts it or tells which system it is. `'service'`: programs,
   * but no system. `'empty'`: nothing that could be run.
   */
  readonly kind: 'complete' | 'service' | 'empty';
  /** What will not work in a jail with this root, one sentence each; none when nothing was found. */
  readonly problems: readonly string[];
}

const SHELL = '/bin/sh';
const PASSWORD_FILES = ['/etc/passwd', '/etc/master.passwd'];
const BSD_LOADERS = ['/usr/libexec/ld-elf.so.2', '/libexec/ld-elf.so.1'];
const BSD_START = '/etc/rc';
const LINUX_START = ['/sbin/init', '/usr/lib/systemd/systemd', '/lib/systemd/systemd'];
const RELEASES = ['/etc/os-release', '/usr/lib/os-release', '/etc/debian_version'];
// File systems of the kernel, where they are mounted.
const NOT_SEARCHED = ['/dev', '/proc', '/sys'];
const MAX_NAMES = 50_000;
const MAX_PROBLEMS = 100;
// Steps; see Budget. Of one program, and of looking what kind of root it is: that holds up everything else meanwhile.
const AT_ONCE = 10_000;
const IN_ALL = 400_000;
// Between two turns of the event loop, while names are looked at.
const TURN_MS = 20;
const TOO_MUCH = 'not all of it was looked at: there are too many names and libraries to look for';

/**
 * Looks at a directory that is to be the root of a jail: what kind of root it is, and what will not work in it.
 *
 * It only reads, follows links as a program inside would, runs nothing, and opens nothing but regular files: it can be
 * used for a root whose jail runs and is not trusted. What it says is for people: a jail's root can make its root look
 * like anything.
 *
 * @param path absolute path of the directory
 * @returns the kind and the problems
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws JailSystemError step `root`: `ENOENT`, `ENOTDIR`, `EACCES`
 * @example
 * const { kind, problems } = await inspectRoot('/var/jails/www');
 * if (problems.length > 0) console.error(`${kind} root:\n${problems.join('\n')}`);
 */
export async function inspectRoot(path: string): Promise<RootInspection> {
  const tree = Tree.open(normalPath(path, 'path'));
  try {
    return await inspect(tree);
  } finally {
    tree.close();
  }
}

async function inspect(tree: Tree): Promise<RootInspection> {
  const whole = new Budget(IN_ALL);
  const marker = atOnce(tree, whole, '', () => tree.text(`/${MARKER}`, MAX_MARKER) ?? '');
  const givenUp = [TOO_MUCH];
  const complete = atOnce(tree, whole, givenUp, () => completeProblems(tree, marker));
  if (complete === givenUp) return { kind: 'empty', problems: givenUp };
  if (complete !== null) return { kind: 'complete', problems: complete };
  const { programs, isWhole } = await findPrograms(tree, whole);
  if (programs.length === 0) {
    return { kind: 'empty', problems: isWhole ? emptyProblems(marker) : [TOO_MUCH] };
  }
  const problems = await allProblems(tree, whole, programs);
  const tooMany = isWhole ? [] : [`only the first ${MAX_NAMES} names in it were looked at`];
  const top = atOnce(tree, whole, [], () => topProblems(tree));
  return { kind: 'service', problems: [...top, ...problems, ...tooMany] };
}

/** Looks at something without a turn of the event loop, and for so long only that nobody minds. */
function atOnce<T>(tree: Tree, whole: Budget, givenUp: T, look: () => T): T {
  const part = whole.part(AT_ONCE);
  tree.budget = part;
  try {
    return look();
  } catch (error) {
    if (error instanceof TooMuch) return givenUp;
    throw error;
  } finally {
    tree.budget = null;
    whole.settle(part);
  }
}

/** Null: it is no whole system. */
function completeProblems(tree: Tree, marker: string): string[] | null {
  if (isServiceMarker(marker) || !isComplete(tree)) return null;
  return [...topProblems(tree), ...systemProblems(tree)];
}

async function allProblems(
  tree: Tree,
  whole: Budget,
  programs: readonly string[],
): Promise<string[]> {
  const loader = new Loader(tree);
  const problems = new Set<string>();
  for (const program of programs) {
    await turn();
    const givenUp = [`${program} needs more, or looks for it in more places, than is looked at`];
    const found = atOnce(tree, whole, givenUp, () => programProblems(loader, program));
    for (const problem of found) problems.add(problem);
    if (whole.left === 0) problems.add(TOO_MUCH);
    if (whole.left === 0 || problems.size >= MAX_PROBLEMS) break;
  }
  return [...problems].slice(0, MAX_PROBLEMS);
}

function isComplete(tree: Tree): boolean {
  if (!isProgram(tree, SHELL)) return false;
  const starts = [BSD_START, ...LINUX_START].some((path) => tree.findFile(path) !== null);
  const accounts = PASSWORD_FILES.some((path) => tree.findFile(path) !== null);
  return starts || (accounts && RELEASES.some((path) => tree.findFile(path) !== null));
}

function isProgram(tree: Tree, path: string): boolean {
  return ((tree.findFile(path)?.mode ?? 0) & 0o111) !== 0;
}

function emptyProblems(marker: string): string[] {
  return isThinMarker(marker)
    ? ['it is a thin root: its programs are in the mounts that prepareThinRoot() gives']
    : ['there is no program in it'];
}

/** Problems of the directory itself. */
function topProblems(tree: Tree): string[] {
  const problems: string[] = [];
  const mode = tree.find('/')?.mode ?? 0;
  if ((mode & 0o001) === 0) {
    problems.push(
      `only its owner may enter it (mode ${octal(mode)}): commands of other users fail`,
    );
  }
  for (const path of ['/', '/etc']) {
    const place = tree.find(path);
    if (place !== null && (place.mode & 0o002) !== 0) {
      problems.push(`everybody in the jail may write to ${path} (mode ${octal(place.mode)})`);
    }
  }
  return problems;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** What a whole system lacks. */
function systemProblems(tree: Tree): string[] {
  const isBsd = [BSD_START, ...BSD_LOADERS].some((path) => tree.findFile(path) !== null);
  const problems = isBsd ? bsdProblems(tree) : linuxProblems(tree);
  for (const path of ['/dev', '/tmp']) {
    if (tree.find(path)?.kind !== 'directory') problems.push(`there is no directory ${path}`);
  }
  const scratch = tree.find('/tmp');
  if (scratch?.kind === 'directory' && (scratch.mode & 0o1777) !== 0o1777) {
    problems.push(`/tmp is not for everybody: its mode is ${octal(scratch.mode)} instead of 1777`);
  }
  const root = /^root:/m.test(tree.text('/etc/passwd') ?? '');
  if (!root)
    problems.push('there is no root in /etc/passwd, where users of commands are looked up');
  return [...problems, ...programProblems(new Loader(tree), SHELL)];
}

function bsdProblems(tree: Tree): string[] {
  const problems: string[] = [];
  const need = (paths: readonly string[], why: string) => {
    if (paths.every((path) => tree.findFile(path) === null)) {
      problems.push(`there is no ${paths[0]}: ${why}`);
    }
  };
  need([BSD_START], 'nothing starts the system');
  need(['/etc/rc.shutdown'], 'nothing stops the system in order');
  need(BSD_LOADERS, 'programs with shared libraries cannot be run');
  need(['/etc/pwd.db'], 'programs find no users; pwd_mkdb(8) makes it');
  need(['/etc/spwd.db'], 'programs of root find no users; pwd_mkdb(8) makes it');
  if (tree.linkText('/boot/kernel') === null && tree.find('/boot/kernel') === null) {
    problems.push(
      'there is no /boot/kernel: programs that look for the kernel want a link to ../dev/null',
    );
  }
  return problems;
}

function linuxProblems(tree: Tree): string[] {
  if (LINUX_START.some((path) => tree.findFile(path) !== null)) return [];
  return ['there is no /sbin/init: commands run, but the system cannot be started as a whole'];
}

/** Every executable file of the tree. */
async function findPrograms(
  tree: Tree,
  whole: Budget,
): Promise<{ programs: string[]; isWhole: boolean }> {
  const programs: string[] = [];
  const folders = ['/'];
  let left = MAX_NAMES;
  let turned = performance.now();
  for (const folder of folders) {
    const names = atOnce(tree, whole, [], () => unlessFailed(() => tree.names(folder)) ?? []);
    for (const name of names) {
      if (performance.now() - turned > TURN_MS) {
        await turn();
        turned = performance.now();
      }
      const path = `${folder === '/' ? '' : folder}/${name}`;
      if (left-- <= 0 || whole.left === 0) return { programs, isWhole: false };
      const kind = atOnce(tree, whole, null, () => unlessFailed(() => kindOf(tree, path)));
      if (kind === 'folder') folders.push(path);
      else if (kind === 'program') programs.push(path);
    }
  }
  return { programs, isWhole: true };
}

// What this user may not read, or what has gone meanwhile, is for nobody to complain about.
function unlessFailed<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof JailSystemError) return null;
    throw error;
  }
}

/** Directories to search and programs; links lead to what is found anyway. */
function kindOf(tree: Tree, path: string): 'folder' | 'program' | null {
  if (tree.linkText(path) !== null) return null;
  const place = tree.find(path);
  if (place?.kind === 'directory') return NOT_SEARCHED.includes(path) ? null : 'folder';
  const executable = place?.kind === 'file' && (place.mode & 0o111) !== 0;
  return executable && looksLikeProgram(tree, path) ? 'program' : null;
}

function looksLikeProgram(tree: Tree, path: string): boolean {
  const start = startOf(tree, path);
  return isElf(start) || parseScriptLine(start) !== null;
}

function startOf(tree: Tree, path: string): Uint8Array {
  return tree.read(path, (source) => source.read(0, Math.min(source.size, START_OF_PROGRAM)));
}

/** Why a program of the root cannot be run. */
function programProblems(loader: Loader, path: string): string[] {
  const { tree } = loader;
  const line = parseScriptLine(startOf(tree, path));
  if (line !== null) {
    const there = tree.findFile(line.interpreter) !== null;
    return there ? [] : [`${path} is run by ${line.interpreter}, which is not there`];
  }
  try {
    return loader
      .load({ source: path, target: path })
      .missing.map(
        ({ library, neededBy: [file] }) => `${file} needs ${library}, which is not there`,
      );
  } catch (error) {
    if (error instanceof ProgramError) return [error.message];
    throw error;
  }
}
