import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { placeProgram } from './compiled.js';
import { onRealDragonfly, skip } from './environment.js';

// The package's own native parts, but for the monitor, in whose place a program stands that makes its system calls fail.

const BUILT =
  process.env.DRAGONFLY_JAIL_NATIVE ?? fileURLToPath(new URL('../../Release', import.meta.url));

// On DragonFly recover() is a program of its own.
const PARTS = ['jail.node', 'jail-monitor', ...(onRealDragonfly ? ['jail-recover'] : [])];

/** One system call that was made. */
export interface Call {
  /** 0: the monitor; then its children in the order of their birth. */
  readonly task: number;
  /** Its name. */
  readonly name: string;
}

/** One system call that is to fail. */
export interface Fault extends Call {
  /** Which of this task's calls of that name, from 1. */
  readonly nth: number;
  readonly errno: number;
}

/** Makes a folder for DRAGONFLY_JAIL_NATIVE in which the monitor is a program of test/programs.json. */
export function nativeFolder(context: Mocha.Context, folder: string, program: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of PARTS) {
    const copy = name === 'jail-monitor' ? 'real-monitor' : name;
    copyFileSync(join(BUILT, name), join(folder, copy));
  }
  const file = join(folder, 'jail-monitor');
  placeProgram(context, program, file);
  tellPlace(file);
  return folder;
}

// See own_path() of test/reliability/programs/linux.
function tellPlace(file: string): void {
  const mark = 'the path of this program: ';
  const content = readFileSync(file);
  const at = content.indexOf(`${mark}\0`);
  if (at < 0) return;
  content.write(`${file}\0`, at + mark.length);
  writeFileSync(file, content);
}

/** The folder of a monitor whose calls can be made to fail. */
export function injectorFolder(context: Mocha.Context, folder: string): string {
  if (process.platform !== 'linux' || arch() !== 'x64') {
    skip(context, 'the injector of faults knows the registers of x86_64 on Linux only');
  }
  return nativeFolder(context, folder, 'inject');
}

/** Plans what the next monitor of a folder does, and reads what it did. */
export class Injector {
  readonly #numbers = syscallNumbers();
  readonly #names = new Map([...this.#numbers].map(([name, number]) => [number, name]));

  constructor(readonly folder: string) {}

  /**
   * @param fault what fails; null: nothing does
   * @param journal where the monitor writes what it called
   */
  plan(fault: Fault | null, journal = 'journal'): void {
    rmSync(join(this.folder, 'journal'), { force: true });
    const monitor = join(this.folder, 'real-monitor');
    const number = fault === null ? 0 : this.#numbers.get(fault.name);
    const { task, nth, errno } = fault ?? { task: -1, nth: 0, errno: 0 };
    writeFileSync(
      join(this.folder, 'plan'),
      `${monitor} ${journal} ${task} ${number} ${nth} ${errno}\n`,
    );
  }

  /** What the last monitor called; empty when it was killed before it could say. */
  journal(): { calls: Call[]; hit: boolean } {
    const file = join(this.folder, 'journal');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    const calls = lines
      .filter((line) => line.includes(' '))
      .map((line) => line.split(' ').map(Number))
      .map(([task = 0, call = 0]) => ({ task, name: this.#names.get(call) ?? `${call}` }));
    return { calls, hit: lines.includes('hit') };
  }
}

// As the C library's headers have them.
function syscallNumbers(): Map<string, number> {
  const input = '#include <sys/syscall.h>\n';
  const text = execFileSync(process.env.CC ?? 'cc', ['-E', '-dM', '-'], { input }).toString();
  const found = text.matchAll(/^#define __NR_(\w+) (\d+)$/gm);
  return new Map([...found].map(([, name = '', number]) => [name, Number(number)]));
}
