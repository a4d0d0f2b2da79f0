import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PROGRAMS = ['sh', 'cat', 'echo', 'env', 'hostname', 'id', 'pwd', 'sleep'];

/**
 * Makes a root without any mounts, as jail(8) takes it: a few programs of the host with their libraries, copied.
 *
 * @param path a directory that is empty
 * @param more further programs
 */
export function copyRoot(path: string, more: readonly string[] = []): void {
  for (const folder of ['bin', 'dev', 'etc', 'home/www', 'tmp']) {
    mkdirSync(join(path, folder), { recursive: true });
  }
  writeFileSync(join(path, 'dev/null'), ''); // sh gives it to what runs in the background
  writeFileSync(
    join(path, 'etc/passwd'),
    'root:*:0:0::/:/bin/sh\nwww:*:80:80::/home/www:/bin/sh\n',
  );
  writeFileSync(join(path, 'etc/group'), 'root:*:0:\nwww:*:80:\nlogs:*:90:www\n');
  for (const name of [...PROGRAMS, ...more]) copyProgram(path, name);
}

// DragonFly's ldd(1) does not name it.
const LOADERS = ['/libexec/ld-elf.so.2', '/usr/libexec/ld-elf.so.2'];

// As ldd(1) of each system prints them; of a program without any it complains.
function librariesOf(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return (stdout.match(/\/\S+/g) ?? []).filter((path) => !path.endsWith(':'));
}

function copyProgram(root: string, name: string): void {
  const program = ['/bin', '/usr/bin'].map((at) => `${at}/${name}`).find((at) => existsSync(at));
  if (program === undefined) throw new Error(`the host has no ${name}`);
  copyFileSync(realpathSync(program), join(root, 'bin', name));
  for (const library of [...librariesOf(program), ...LOADERS]) {
    if (!existsSync(library)) continue;
    const copy = join(root, library);
    mkdirSync(dirname(copy), { recursive: true });
    if (!existsSync(copy)) copyFileSync(realpathSync(library), copy);
  }
}
