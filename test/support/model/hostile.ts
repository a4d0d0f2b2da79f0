import { constants } from 'node:os';
import type { ModelProcess, Program } from 'dragonfly-jail/testing';

/** Can it be tried on DragonFly? */
export function canTry(what: string): boolean {
  return what in attempts;
}

/** What the program of support/hostile does, by calls of the model; it tells errors by this machine's numbers. */
export const hostile: Program = ({ argv, process, stdout }) => {
  const [, what = '', ...args] = argv;
  const attempt = attempts[what];
  if (attempt === undefined) throw new Error(`unknown attempt ${what}`);
  stdout.write(`result ${errnoOf(() => attempt(process, args))}\n`);
};

type Attempt = (process: ModelProcess, args: readonly string[]) => unknown;

const AF_INET = 2;
const AF_INET6 = 28;
const STREAM = 1;
const MNT_UPDATE = 0x10000;

const attempts: Readonly<Record<string, Attempt>> = {
  socket: (process, [domain, type, protocol]) =>
    process.socket(Number(domain), Number(type), Number(protocol)),
  sethostname: (process, [name = '']) => process.sethostname(name),
  kill: (process, [pid, signal]) => process.kill(Number(pid), Number(signal)),
  open: (process, [path = '']) => process.open(path),
  write: (process, [path = '']) => process.openForWriting(path, { append: true }),
  mount: (process, [path = '']) => process.mount('tmpfs', path),
  bindmount: (process, [from = '', to = '']) => process.mount('null', to, 0, from),
  remount: (process, [path = '']) => process.mount('null', path, MNT_UPDATE, path),
  device: (process) => process.create('/tmp/disk', 'device'),
  umount: (process, [path = '']) => process.unmount(path),
  add: (process, [address = '']) => process.addAlias('lo0', bytesOf(address)),
  setuid: (process, [uid]) => process.setuid(Number(uid)),
  bind: bindTo,
  escape: climb,
};

function bindTo(process: ModelProcess, [address = '', port]: readonly string[]): void {
  const family = address.includes(':') ? 'inet6' : 'inet';
  const fd = process.socket(family === 'inet' ? AF_INET : AF_INET6, STREAM);
  process.bind(fd, { family, address, port: Number(port) });
}

// chroot below, climb up from a directory outside of the new root.
function climb(process: ModelProcess, [path = '']: readonly string[]): void {
  const here = process.open('/');
  try {
    process.create('/tmp/below', 'directory');
  } catch {} // it is there
  process.chroot('/tmp/below');
  process.fchdir(here);
  for (let level = 0; level < 200; level++) process.chdir('..');
  process.chroot('.');
  process.open(path);
}

function bytesOf(address: string): Uint8Array {
  return Uint8Array.from(address.split('.').map(Number));
}

function errnoOf(attempt: () => unknown): number {
  try {
    attempt();
    return 0;
  } catch (error) {
    const { code } = error as { code?: keyof typeof constants.errno };
    const number = code === undefined ? undefined : constants.errno[code];
    if (number === undefined) throw error;
    return number;
  }
}
