import { compute } from './calls/compute.js';
import * as devfs from './calls/devfs.js';
import * as files from './calls/files.js';
import { mayWriteHostname, writeHostname } from './calls/hostname.js';
import * as identity from './calls/identity.js';
import * as interfaces from './calls/interfaces.js';
import { chroot, jail, jailAttach } from './calls/jail.js';
import * as lifecycle from './calls/lifecycle.js';
import * as mounts from './calls/mount.js';
import * as signals from './calls/signals.js';
import * as sockets from './calls/sockets.js';
import { type SysctlAnswer, type SysctlRequest, sysctl, sysctlByName } from './calls/sysctl.js';
import type { ErrnoName, KernelError } from './kernel-error.js';
import type { Kernel } from './kernel-state.js';
import type { Mount } from './mount-table.js';
import type { Endpoint } from './network.js';
import type { OpenFile } from './open-file.js';
import type { ProcessEntry } from './process.js';
import type { VnodeKind } from './vnode.js';

const WHOLE: SysctlRequest = { room: Number.MAX_SAFE_INTEGER, value: null };

/**
 * A process of a model kernel, by its calls. They are the system's, with their arguments in place of registers; what
 * fails throws a `KernelError` with DragonFly's number. A process that has ended can call nothing (`ESRCH`).
 */
export class ModelProcess {
  readonly #kernel: Kernel;
  /** Its record in the kernel. */
  readonly entry: ProcessEntry;

  /** Made by `ModelKernel` and {@link fork}. */
  constructor(kernel: Kernel, entry: ProcessEntry) {
    this.#kernel = kernel;
    this.entry = entry;
  }

  /** Its number. */
  get pid(): number {
    return this.entry.pid;
  }

  /** 0: not jailed. */
  get jid(): number {
    return this.entry.jid;
  }

  /** Effective. */
  get uid(): number {
    return this.entry.uid;
  }

  /** It is a zombie, or gone. */
  get hasEnded(): boolean {
    return this.entry.isZombie;
  }

  // ── jails ──

  /** jail(2) with the address of a `struct jail` in this process's memory. */
  jail(pointer: bigint): number {
    this.#enter('jail');
    return jail(this.#kernel, this.entry, pointer);
  }

  /** Puts bytes into this process's memory: their address. */
  mapMemory(bytes: Uint8Array, base?: bigint): bigint {
    return this.entry.memory.map(bytes, base);
  }

  /** jail_attach(2): moves this process into a jail, for good. */
  jailAttach(jid: number): void {
    this.#enter('jail_attach', String(jid));
    jailAttach(this.#kernel, this.entry, jid);
  }

  /** chroot(2). */
  chroot(path: string): void {
    this.#enter('chroot', path);
    chroot(this.#kernel, this.entry, path);
  }

  // ── sysctl ──

  /** sysctl(3) by name; all of the value unless `room` says otherwise. */
  sysctl(name: string, request: Partial<SysctlRequest> = {}): SysctlAnswer {
    this.#enter('sysctl', name);
    return sysctlByName(this.#kernel, this.entry, name, { ...WHOLE, ...request });
  }

  /** sysctl(3) by numbers. */
  sysctlMib(mib: readonly number[], request: Partial<SysctlRequest> = {}): SysctlAnswer {
    this.#enter('sysctl', mib.join('.'));
    return sysctl(this.#kernel, this.entry, mib, { ...WHOLE, ...request });
  }

  /** The hostname as this process sees it: its jail's. */
  gethostname(): string {
    this.#enter('gethostname');
    return this.entry.credential.prison?.hostname ?? this.#kernel.settings.hostname;
  }

  /** sethostname(3), as far as the jail may. */
  sethostname(hostname: string): void {
    this.#enter('sethostname', hostname);
    mayWriteHostname(this.#kernel, this.entry);
    if (Buffer.byteLength(hostname) >= this.#kernel.layout.limits.hostname) {
      throw this.#kernel.error('EINVAL');
    }
    writeHostname(this.#kernel, this.entry, hostname);
  }

  // ── processes ──

  /** fork(2). Returns the child. */
  fork(): ModelProcess {
    this.#enter('fork');
    return new ModelProcess(this.#kernel, this.#kernel.processes.fork(this.entry));
  }

  /** What execve(2) changes of a process; who then acts for it is the caller's affair. @throws KernelError E2BIG */
  execve(file: string, args: readonly string[]): void {
    this.#enter('execve', file);
    lifecycle.assertRoomForArguments(args);
    lifecycle.replaceProgram(this.entry, file, args);
  }

  /** No call: has computed for so many milliseconds. Listings and usage show it, and the limit `cpu` holds. */
  compute(ms: number): void {
    if (!this.entry.isZombie) compute(this.#kernel, this.entry, ms);
  }

  /** @internal Its end by SIGKILL, whoever sends it. */
  kill9(): void {
    signals.deliver(this.#kernel, this.entry, this.#kernel.layout.signals.SIGKILL ?? 9);
  }

  /** _exit(2). @param status an exit code, 0 to 255 */
  exit(status: number): void {
    lifecycle.exit(this.#kernel, this.entry, (status & 0xff) << 8);
  }

  /** wait4(2) for one child, or any; null with nothing to tell. */
  wait(pid = -1): lifecycle.Waited | null {
    this.#enter('wait4', String(pid));
    return lifecycle.wait(this.#kernel, this.entry, pid);
  }

  /** wait6(2) with P_JAILID, which finds children in no jail as well. */
  waitJail(jid: number): lifecycle.Waited | null {
    this.#enter('wait6', String(jid));
    return lifecycle.waitJail(this.#kernel, this.entry, jid);
  }

  /** kill(2): how many were signalled. */
  kill(pid: number, signal: number): number {
    this.#enter('kill', String(pid));
    return signals.kill(this.#kernel, this.entry, pid, signal);
  }

  /** ptrace(2), PT_ATTACH. */
  ptraceAttach(pid: number): void {
    this.#enter('ptrace', String(pid));
    signals.ptraceAttach(this.#kernel, this.entry, pid);
  }

  // ── who it is ──

  /** setuid(2). */
  setuid(uid: number): void {
    this.#enter('setuid', String(uid));
    identity.setuid(this.#kernel, this.entry, uid);
  }

  /** seteuid(2). */
  seteuid(uid: number): void {
    this.#enter('seteuid', String(uid));
    identity.seteuid(this.#kernel, this.entry, uid);
  }

  /** setresuid(2). */
  setresuid(ruid: number, uid: number, svuid: number): void {
    this.#enter('setresuid', String(uid));
    identity.setresuid(this.#kernel, this.entry, ruid, uid, svuid);
  }

  /** setgid(2). */
  setgid(gid: number): void {
    this.#enter('setgid', String(gid));
    identity.setgid(this.#kernel, this.entry, gid);
  }

  /** setgroups(2). */
  setgroups(groups: readonly number[]): void {
    this.#enter('setgroups');
    identity.setgroups(this.#kernel, this.entry, groups);
  }

  /** setlogin(2). */
  setlogin(name: string): void {
    this.#enter('setlogin', name);
    identity.setlogin(this.#kernel, this.entry, name);
  }

  /** setrlimit(2). `nofile`, `fsize` and `cpu` hold; the others are remembered. */
  setrlimit(name: string, soft: bigint, hard: bigint): void {
    this.#enter('setrlimit', name);
    this.entry.limits.set(name, { soft, hard });
  }

  /** setpgid(2). */
  setpgid(pgid = 0): void {
    this.#enter('setpgid');
    identity.setpgid(this.entry, pgid);
  }

  /** setsid(2). */
  setsid(): number {
    this.#enter('setsid');
    return identity.setsid(this.#kernel, this.entry);
  }

  /** getpgid(2). Processes outside of the caller's jail are answered for too. */
  getpgid(pid = 0): number {
    this.#enter('getpgid');
    return identity.asked(this.#kernel, this.entry, pid).pgid;
  }

  /** getsid(2). The same. */
  getsid(pid = 0): number {
    this.#enter('getsid');
    return identity.asked(this.#kernel, this.entry, pid).sid;
  }

  // ── files ──

  /** For reading. */
  open(path: string): number {
    this.#enter('open', path);
    return files.open(this.#kernel, this.entry, path);
  }

  /** openat(2). Returns a descriptor. */
  openAt(fd: number, path: string): number {
    this.#enter('openat', path);
    return files.openAt(this.#kernel, this.entry, fd, path);
  }

  /** close(2). */
  close(fd: number): void {
    this.#enter('close', String(fd));
    files.close(this.#kernel, this.entry, fd);
  }

  /** closefrom(2). */
  closeFrom(first: number): void {
    this.#enter('closefrom', String(first));
    files.closeFrom(this.entry, first);
  }

  /** chdir(2). */
  chdir(path: string): void {
    this.#enter('chdir', path);
    files.chdir(this.#kernel, this.entry, path);
  }

  /** fchdir(2), which leads out of a jail. */
  fchdir(fd: number): void {
    this.#enter('fchdir', String(fd));
    files.fchdir(this.#kernel, this.entry, fd);
  }

  /** getcwd(3). */
  getcwd(): string {
    this.#enter('getcwd');
    return files.getcwd(this.#kernel, this.entry);
  }

  /** realpath(3). */
  realpath(path: string): string {
    this.#enter('realpath', path);
    return files.realpath(this.#kernel, this.entry, path);
  }

  /** stat(2). */
  stat(path: string): files.ModelStat {
    this.#enter('stat', path);
    return files.stat(this.entry, path);
  }

  /** lstat(2). */
  lstat(path: string): files.ModelStat {
    this.#enter('lstat', path);
    return files.stat(this.entry, path, true);
  }

  /** mkdir(2), mkfifo(2) and their kind. */
  create(path: string, kind: Exclude<VnodeKind, 'symlink'>, content = ''): void {
    this.#enter('mknod', path);
    files.create(this.#kernel, this.entry, path, kind).content = Buffer.from(content);
  }

  /** symlink(2). */
  symlink(target: string, path: string): void {
    this.#enter('symlink', path);
    files.create(this.#kernel, this.entry, path, 'symlink').target = target;
  }

  /** rename(2). */
  rename(from: string, to: string): void {
    this.#enter('rename', from);
    files.rename(this.#kernel, this.entry, from, to);
  }

  /** rmdir(2). */
  rmdir(path: string): void {
    this.#enter('rmdir', path);
    files.rmdir(this.#kernel, this.entry, path);
  }

  /** unlink(2). */
  unlink(path: string): void {
    this.#enter('unlink', path);
    files.unlink(this.#kernel, this.entry, path);
  }

  /** open(2) and read(2) of a whole file. */
  readFile(path: string): Uint8Array {
    this.#enter('open', path);
    return files.readWhole(this.#kernel, this.entry, path);
  }

  /** open(2) with O_CREAT, and O_APPEND or O_TRUNC. @returns write(2) of what was opened */
  openForWriting(path: string, options: files.WriteOptions = {}): (bytes: Uint8Array) => void {
    this.#enter('open', path);
    const write = files.openForWriting(this.#kernel, this.entry, path, options);
    return (bytes) => {
      this.#enter('write', path);
      write(bytes);
    };
  }

  /** What the first line of a script says. @internal */
  interpreterOf(path: string): string[] {
    return files.interpreterOf(this.#kernel, this.entry, path);
  }

  /** The names in a directory. */
  readdir(path: string): string[] {
    this.#enter('getdents', path);
    return files.names(this.#kernel, this.entry, path);
  }

  /** chmod(2). */
  chmod(path: string, mode: number): void {
    this.#enter('chmod', path);
    files.chmod(this.#kernel, this.entry, path, mode);
  }

  /** chown(2). */
  chown(path: string, uid: number, gid: number): void {
    this.#enter('chown', path);
    files.chown(this.#kernel, this.entry, path, uid, gid);
  }

  /** A descriptor of another process, as SCM_RIGHTS would bring it: the number here. */
  receive(from: ModelProcess, fd: number): number {
    this.#enter('recvmsg');
    return files.install(this.entry, files.fileOf(this.#kernel, from.entry, fd));
  }

  /** @internal A descriptor of something that was made elsewhere. */
  install(file: OpenFile): number {
    return files.install(this.entry, file);
  }

  // ── mounts and addresses ──

  /** mount(2). The options are of a tmpfs: what its files may take, and the mode of its root. */
  mount(
    type: string,
    path: string,
    flags = 0,
    source: string | null = null,
    options: mounts.MountRequest['options'] = {},
  ): Mount {
    this.#enter('mount', path);
    return mounts.mount(this.#kernel, this.entry, { type, path, flags, source, options });
  }

  /** ioctl(2) DEVFS_RULE_ADD on /dev/devfs: a second name for a device in a mount to come. */
  addDeviceLink(mountPoint: string, device: string, link: string): void {
    this.#enter('DEVFS_RULE_ADD', mountPoint);
    devfs.addDeviceLink(this.#kernel, this.entry, mountPoint, { device, link });
  }

  /** ioctl(2) DEVFS_RULE_CLEAR on /dev/devfs. */
  clearDeviceRules(mountPoint: string): void {
    this.#enter('DEVFS_RULE_CLEAR', mountPoint);
    devfs.clearDeviceRules(this.#kernel, this.entry, mountPoint);
  }

  /** unmount(2). */
  unmount(path: string, flags = 0): void {
    this.#enter('unmount', path);
    mounts.unmount(this.#kernel, this.entry, path, flags);
  }

  /** getfsstat(2): the mounts that this process sees. */
  getfsstat(): mounts.MountRow[] {
    this.#enter('getfsstat');
    return mounts.mountRows(this.#kernel, this.entry);
  }

  /** ioctl(2) SIOCAIFADDR or SIOCAIFADDR_IN6: 4 or 16 bytes. */
  addAlias(interfaceName: string, address: Uint8Array): void {
    this.#enter('SIOCAIFADDR', interfaceName);
    interfaces.addAlias(this.#kernel, this.entry, interfaceName, address);
  }

  /** ioctl(2) SIOCDIFADDR or SIOCDIFADDR_IN6. */
  removeAlias(interfaceName: string, address: Uint8Array): void {
    this.#enter('SIOCDIFADDR', interfaceName);
    interfaces.removeAlias(this.#kernel, this.entry, interfaceName, address);
  }

  /** ioctl(2), SIOCSIFFLAGS. */
  setInterfaceFlags(interfaceName: string): void {
    this.#enter('SIOCSIFFLAGS', interfaceName);
    interfaces.setInterfaceFlags(this.#kernel, this.entry, interfaceName);
  }

  /** getifaddrs(3). */
  getifaddrs(): interfaces.InterfaceAddress[] {
    this.#enter('getifaddrs');
    return interfaces.interfaceAddresses(this.#kernel, this.entry);
  }

  // ── sockets ──

  /** socket(2). Returns a descriptor. */
  socket(domain: number, type: number, protocol = 0): number {
    this.#enter('socket', String(domain));
    return sockets.socket(this.#kernel, this.entry, domain, type, protocol);
  }

  /** bind(2). */
  bind(fd: number, endpoint: Endpoint): void {
    this.#enter('bind', endpoint.address);
    sockets.bind(this.#kernel, this.entry, fd, endpoint);
  }

  /** listen(2). */
  listen(fd: number): void {
    this.#enter('listen', String(fd));
    sockets.listen(this.#kernel, this.entry, fd);
  }

  /** connect(2). */
  connect(fd: number, endpoint: Endpoint): void {
    this.#enter('connect', endpoint.address);
    sockets.connect(this.#kernel, this.entry, fd, endpoint);
  }

  /** connect(2) of a socket of the local domain. */
  connectPath(fd: number, path: string): void {
    this.#enter('connect', path);
    sockets.connectPath(this.#kernel, this.entry, fd, path);
  }

  /** getsockname(2). */
  getsockname(fd: number): Endpoint {
    this.#enter('getsockname', String(fd));
    return sockets.socketName(this.#kernel, this.entry, fd);
  }

  /** getpeername(2). */
  getpeername(fd: number): Endpoint {
    this.#enter('getpeername', String(fd));
    return sockets.peerName(this.#kernel, this.entry, fd);
  }

  /** An error of the kernel's, for callers that check what it would. */
  error(code: ErrnoName): KernelError {
    return this.#kernel.error(code);
  }

  #enter(call: string, about = ''): void {
    if (this.entry.isZombie) throw this.#kernel.error('ESRCH');
    this.#kernel.faults.enter(call, this.entry.pid, about);
  }
}
