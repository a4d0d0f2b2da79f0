import * as checks from './calls/checks.js';
import { compute } from './calls/compute.js';
import * as devfs from './calls/devfs.js';
import * as fileFlags from './calls/file-flags.js';
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
import * as terminals from './calls/terminals.js';
import * as tracing from './calls/tracing.js';
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
 *
 * @see intro(2)
 * @example
 * kernel.directory('/jails/www');
 * const child = kernel.host.fork();
 * child.chroot('/jails/www');
 * console.log(child.getcwd());
 * child.exit(0);
 */
export class ModelProcess {
  readonly #kernel: Kernel;
  /** Its record in the kernel. */
  readonly entry: ProcessEntry;

  /**
   * Made by `ModelKernel` and {@link fork}.
   *
   * @param kernel whose process it is
   * @param entry its record there
   */
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

  /**
   * jail(2) with the address of a `struct jail` in this process's memory.
   *
   * @param pointer of {@link mapMemory}
   * @returns the jid
   * @throws KernelError `EPERM`: not the host’s root, or a directory is open and `kern.chroot_allow_open_directories`
   *   forbids it; `EFAULT`: the memory is not there; `EINVAL`: the version of the struct; `ENAMETOOLONG`, `ENOENT`,
   *   `ENOTDIR`, `EACCES`: the root; `ERANGE`: no jid is left
   * @see jail(2), sys/kern/kern_jail.c
   */
  jail(pointer: bigint): number {
    this.#enter('jail');
    return jail(this.#kernel, this.entry, pointer);
  }

  /**
   * Puts bytes into this process's memory: their address.
   *
   * @param bytes what to put there
   * @param base where; default: where there is room
   * @returns the address
   */
  mapMemory(bytes: Uint8Array, base?: bigint): bigint {
    return this.entry.memory.map(bytes, base);
  }

  /**
   * jail_attach(2): moves this process into a jail, for good.
   *
   * @param jid of a jail that exists
   * @throws KernelError `EPERM`: not the host’s root; `EINVAL`: there is no such jail
   * @see jail_attach(2)
   */
  jailAttach(jid: number): void {
    this.#enter('jail_attach', String(jid));
    jailAttach(this.#kernel, this.entry, jid);
  }

  /**
   * chroot(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EPERM`: not root, or a directory is open
   */
  chroot(path: string): void {
    this.#enter('chroot', path);
    chroot(this.#kernel, this.entry, path);
  }

  // ── sysctl ──

  /**
   * sysctl(3) by name; all of the value unless `room` says otherwise.
   *
   * @param name `jail.list`, `kern.hostname`, …
   * @param request `room`: bytes that the caller has for it, null: only the length is wanted; `value`: what to write
   * @returns what was copied, and the length
   * @throws KernelError `ENOENT`: there is no such node; `EISDIR`: it only holds others; `EPERM`: it cannot be
   *   written, or not by this process; `ENOMEM`: no room, with `partial`; `EINVAL`: the value’s size
   * @throws KernelHang where the lock of all sysctls was left held
   */
  sysctl(name: string, request: Partial<SysctlRequest> = {}): SysctlAnswer {
    this.#enter('sysctl', name);
    return sysctlByName(this.#kernel, this.entry, name, { ...WHOLE, ...request });
  }

  /**
   * sysctl(3) by numbers.
   *
   * @param mib 1 to 12 numbers
   * @param request as for {@link sysctl}
   * @returns what was copied, and the length
   * @throws as {@link sysctl}
   */
  sysctlMib(mib: readonly number[], request: Partial<SysctlRequest> = {}): SysctlAnswer {
    this.#enter('sysctl', mib.join('.'));
    return sysctl(this.#kernel, this.entry, mib, { ...WHOLE, ...request });
  }

  /**
   * The hostname as this process sees it: its jail's.
   *
   * @returns without its NUL
   */
  gethostname(): string {
    this.#enter('gethostname');
    return this.entry.credential.prison?.hostname ?? this.#kernel.settings.hostname;
  }

  /**
   * sethostname(3), as far as the jail may.
   *
   * @param hostname 1 to 255 bytes
   * @throws KernelError `EPERM`: not root, or a jail without `setHostname`; `EINVAL`: too long
   * @throws KernelHang as {@link sysctl}
   */
  sethostname(hostname: string): void {
    this.#enter('sethostname', hostname);
    mayWriteHostname(this.#kernel, this.entry);
    if (Buffer.byteLength(hostname) >= this.#kernel.layout.limits.hostname) {
      throw this.#kernel.error('EINVAL');
    }
    writeHostname(this.#kernel, this.entry, hostname);
  }

  // ── processes ──

  /**
   * fork(2).
   *
   * @returns the child, with the same root, directory, descriptors and jail
   */
  fork(): ModelProcess {
    this.#enter('fork');
    return new ModelProcess(this.#kernel, this.#kernel.processes.fork(this.entry));
  }

  /**
   * What execve(2) changes of a process; who then acts for it is the caller's affair.
   *
   * @param file the program’s path
   * @param args its arguments, the program as the first
   * @throws KernelError E2BIG
   */
  execve(file: string, args: readonly string[]): void {
    this.#enter('execve', file);
    lifecycle.assertRoomForArguments(args);
    lifecycle.replaceProgram(this.entry, file, args);
  }

  /**
   * No call: has computed for so many milliseconds. Listings and usage show it, and the limit `cpu` holds.
   *
   * @param ms of one processor
   */
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

  /**
   * wait4(2) for one child, or any; null with nothing to tell.
   *
   * @param pid of a child; -1: any
   * @returns the child that has ended, reaped; null: none yet
   * @throws KernelError `ECHILD`: there is no such child, or somebody traces it
   */
  wait(pid = -1): lifecycle.Waited | null {
    this.#enter('wait4', String(pid));
    return lifecycle.wait(this.#kernel, this.entry, pid);
  }

  /**
   * wait4(2) with WUNTRACED, of a child that has stopped: each time is told once.
   *
   * @param pid of a child
   * @returns the child, with the signal that it stopped for above the eighth bit; null: it has not stopped again
   * @throws KernelError `ECHILD`: there is no such child, or somebody else traces it
   */
  waitStopped(pid: number): lifecycle.Waited | null {
    this.#enter('wait4', String(pid));
    return tracing.waitStopped(this.#kernel, this.entry, pid);
  }

  /**
   * wait6(2) with P_JAILID, which finds children in no jail as well.
   *
   * @param jid what is asked for, in vain
   * @returns as {@link wait}
   * @throws KernelError `ECHILD`: there are no children
   */
  waitJail(jid: number): lifecycle.Waited | null {
    this.#enter('wait6', String(jid));
    return lifecycle.waitJail(this.#kernel, this.entry, jid);
  }

  /**
   * kill(2).
   *
   * @param pid a process; 0: its group; -1: everybody that it may; less: a group
   * @param signal DragonFly’s number; 0: none, only the checks
   * @returns how many were signalled
   * @throws KernelError `ESRCH`: nobody that it can see; `EPERM`; `EINVAL`: no such signal
   */
  kill(pid: number, signal: number): number {
    this.#enter('kill', String(pid));
    return signals.kill(this.#kernel, this.entry, pid, signal);
  }

  /**
   * ptrace(2), PT_ATTACH: the process stops, and is a child of this one until it is let go. Its own parent can wait for
   * it no more, see {@link wait}; signals stop it, SIGKILL too, until this one lets it go on or ends.
   *
   * @param pid whom
   * @throws KernelError `ESRCH`: nobody that it can see; `EPERM`: another’s, or one that has changed its user;
   *   `EINVAL`: itself; `EBUSY`: somebody traces it
   */
  ptraceAttach(pid: number): void {
    this.#enter('ptrace', String(pid));
    tracing.attach(this.#kernel, this.entry, pid);
  }

  /**
   * ptrace(2), PT_DETACH: it goes on.
   *
   * @param pid whom
   * @throws KernelError `ESRCH`; `EPERM`: nobody traces it; `EBUSY`: somebody else does, or it is not stopped
   */
  ptraceDetach(pid: number): void {
    this.#enter('ptrace', String(pid));
    tracing.detach(this.#kernel, this.entry, pid);
  }

  /**
   * ptrace(2), PT_CONTINUE.
   *
   * @param pid whom
   * @param signal what it is given when it goes on. Default 0: nothing
   * @throws KernelError as {@link ptraceDetach}
   */
  ptraceContinue(pid: number, signal = 0): void {
    this.#enter('ptrace', String(pid));
    tracing.resume(this.#kernel, this.entry, pid, signal);
  }

  /**
   * getpriority(2) of a process.
   *
   * @param pid whose; 0: its own
   * @returns -20 to 20
   * @throws KernelError `ESRCH`: nobody that it can see
   */
  getpriority(pid = 0): number {
    this.#enter('getpriority', String(pid));
    return checks.getPriority(this.#kernel, this.entry, pid);
  }

  /**
   * setpriority(2) of a process.
   *
   * @param pid whose; 0: its own
   * @param nice -20 to 20
   * @throws KernelError `ESRCH`: nobody that it can see; `EACCES`: a higher priority, and not the host’s root; `EPERM`:
   *   another’s process
   */
  setpriority(pid: number, nice: number): void {
    this.#enter('setpriority', String(pid));
    checks.setPriority(this.#kernel, this.entry, pid, nice);
  }

  /**
   * sched_getscheduler(2). Processes outside of the caller's jail are answered for too.
   *
   * @param pid whose; 0: its own
   * @returns `SCHED_OTHER` (2)
   * @throws KernelError `ESRCH`: there is no such process
   */
  schedGetscheduler(pid = 0): number {
    this.#enter('sched_getscheduler', String(pid));
    return checks.getScheduler(this.#kernel, this.entry, pid);
  }

  /**
   * A call of which the model has nothing but its checks: whether it is allowed is answered, nothing happens.
   *
   * @param call settimeofday(2), reboot(2), kldload(2), semget(2), …
   * @param path of those that are about one
   * @throws KernelError `EPERM`: not root, or not of the host; `ENOSYS`: System V IPC in a jail without `sysvIpc`;
   *   `EINVAL`: this kernel has no such call; `ENOENT`, `ENOTDIR`, …: the path leads nowhere
   */
  checkCall(call: checks.CheckedCall, path = '/'): void {
    this.#enter(call, path);
    checks.check(this.#kernel, this.entry, call, path);
  }

  // ── who it is ──

  /**
   * setuid(2).
   *
   * @param uid which
   * @throws KernelError `EPERM`: neither root nor its own
   */
  setuid(uid: number): void {
    this.#enter('setuid', String(uid));
    identity.setuid(this.#kernel, this.entry, uid);
  }

  /**
   * seteuid(2).
   *
   * @param uid which
   * @throws KernelError `EPERM`: neither root nor its own
   */
  seteuid(uid: number): void {
    this.#enter('seteuid', String(uid));
    identity.seteuid(this.#kernel, this.entry, uid);
  }

  /**
   * setresuid(2).
   *
   * @param ruid the real one
   * @param uid the effective one
   * @param svuid the saved one
   * @throws KernelError `EPERM`: neither root nor its own
   */
  setresuid(ruid: number, uid: number, svuid: number): void {
    this.#enter('setresuid', String(uid));
    identity.setresuid(this.#kernel, this.entry, ruid, uid, svuid);
  }

  /**
   * setgid(2).
   *
   * @param gid which
   * @throws KernelError `EPERM`: neither root nor its own
   */
  setgid(gid: number): void {
    this.#enter('setgid', String(gid));
    identity.setgid(this.#kernel, this.entry, gid);
  }

  /**
   * setgroups(2).
   *
   * @param groups at most 16; the first is the effective one
   * @throws KernelError `EPERM`: not root; `EINVAL`: too many
   */
  setgroups(groups: readonly number[]): void {
    this.#enter('setgroups');
    identity.setgroups(this.#kernel, this.entry, groups);
  }

  /**
   * setlogin(2).
   *
   * @param name of the session
   * @throws KernelError `EPERM`: not root
   */
  setlogin(name: string): void {
    this.#enter('setlogin', name);
    identity.setlogin(this.#kernel, this.entry, name);
  }

  /**
   * setrlimit(2). `nofile`, `fsize` and `cpu` hold; the others are remembered.
   *
   * @param name `nofile`, `fsize`, `cpu`, …
   * @param soft the one that holds: bytes, seconds or a number
   * @param hard the most that it can be raised to
   */
  setrlimit(name: string, soft: bigint, hard: bigint): void {
    this.#enter('setrlimit', name);
    this.entry.limits.set(name, { soft, hard });
  }

  /**
   * setpgid(2).
   *
   * @param pgid 0: its own
   */
  setpgid(pgid = 0): void {
    this.#enter('setpgid');
    identity.setpgid(this.entry, pgid);
  }

  /**
   * setsid(2).
   *
   * @returns the session: its pid
   * @throws KernelError `EPERM`: it leads a group already
   */
  setsid(): number {
    this.#enter('setsid');
    return identity.setsid(this.#kernel, this.entry);
  }

  /**
   * getpgid(2). Processes outside of the caller's jail are answered for too.
   *
   * @param pid whose; 0: its own
   * @returns the process group
   * @throws KernelError `ESRCH`: there is no such process
   */
  getpgid(pid = 0): number {
    this.#enter('getpgid');
    return identity.asked(this.#kernel, this.entry, pid).pgid;
  }

  /**
   * getsid(2). Processes outside of the caller's jail are answered for too.
   *
   * @param pid whose; 0: its own
   * @returns the session
   * @throws KernelError `ESRCH`: there is no such process
   */
  getsid(pid = 0): number {
    this.#enter('getsid');
    return identity.asked(this.#kernel, this.entry, pid).sid;
  }

  // ── files ──

  /**
   * open(2) for reading.
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @returns a descriptor, the lowest that is free
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EMFILE`
   */
  open(path: string): number {
    this.#enter('open', path);
    return files.open(this.#kernel, this.entry, path);
  }

  /**
   * openat(2) for reading.
   *
   * @param fd of a directory
   * @param path from there, unless it is absolute
   * @returns a descriptor
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EBADF`, `EMFILE`
   */
  openAt(fd: number, path: string): number {
    this.#enter('openat', path);
    return files.openAt(this.#kernel, this.entry, fd, path);
  }

  /**
   * close(2).
   *
   * @param fd a descriptor of this process
   * @throws KernelError `EBADF`: there is no such descriptor
   * @throws KernelHang the last one of a terminal whose output nobody has read
   */
  close(fd: number): void {
    this.#enter('close', String(fd));
    files.close(this.#kernel, this.entry, fd);
  }

  /**
   * closefrom(2).
   *
   * @param first this one and all above it
   */
  closeFrom(first: number): void {
    this.#enter('closefrom', String(first));
    files.closeFrom(this.entry, first);
  }

  /**
   * chdir(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process
   */
  chdir(path: string): void {
    this.#enter('chdir', path);
    files.chdir(this.#kernel, this.entry, path);
  }

  /**
   * fchdir(2), which leads out of a jail.
   *
   * @param fd of a directory
   * @throws KernelError `EBADF`: there is no such descriptor; `ENOTDIR`
   */
  fchdir(fd: number): void {
    this.#enter('fchdir', String(fd));
    files.fchdir(this.#kernel, this.entry, fd);
  }

  /**
   * getcwd(3).
   *
   * @returns the path below its root
   * @throws KernelError `ENOENT`: the directory is not below its root
   */
  getcwd(): string {
    this.#enter('getcwd');
    return files.getcwd(this.#kernel, this.entry);
  }

  /**
   * realpath(3).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @returns the path without symbolic links, below its root
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process
   */
  realpath(path: string): string {
    this.#enter('realpath', path);
    return files.realpath(this.#kernel, this.entry, path);
  }

  /**
   * stat(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @returns what is there, links followed
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process
   */
  stat(path: string): files.ModelStat {
    this.#enter('stat', path);
    return files.stat(this.entry, path);
  }

  /**
   * lstat(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @returns what is there, the link itself
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process
   */
  lstat(path: string): files.ModelStat {
    this.#enter('lstat', path);
    return files.stat(this.entry, path, true);
  }

  /**
   * mkdir(2), mkfifo(2) and their kind.
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @param kind `directory`, `file`, `fifo`, `socket`, `device`
   * @param content of a file. Default: nothing
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EEXIST`; `EROFS`; `EPERM`: a device in a jail
   */
  create(path: string, kind: Exclude<VnodeKind, 'symlink'>, content = ''): void {
    this.#enter('mknod', path);
    files.create(this.#kernel, this.entry, path, kind).content = Buffer.from(content);
  }

  /**
   * symlink(2).
   *
   * @param target what it leads to; need not exist
   * @param path where it is
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EEXIST`; `EROFS`
   */
  symlink(target: string, path: string): void {
    this.#enter('symlink', path);
    files.create(this.#kernel, this.entry, path, 'symlink').target = target;
  }

  /**
   * rename(2).
   *
   * @param from as this process sees it: below its root, from its working directory unless it is absolute
   * @param to the new name; nothing may be there
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EEXIST`; `EROFS`
   */
  rename(from: string, to: string): void {
    this.#enter('rename', from);
    files.rename(this.#kernel, this.entry, from, to);
  }

  /**
   * rmdir(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EBUSY`: something is mounted there; `ENOTEMPTY`
   */
  rmdir(path: string): void {
    this.#enter('rmdir', path);
    files.rmdir(this.#kernel, this.entry, path);
  }

  /**
   * unlink(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EPERM`: a directory; `EROFS`
   */
  unlink(path: string): void {
    this.#enter('unlink', path);
    files.unlink(this.#kernel, this.entry, path);
  }

  /**
   * open(2) and read(2) of a whole file.
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @returns its bytes
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EISDIR`
   */
  readFile(path: string): Uint8Array {
    this.#enter('open', path);
    return files.readWhole(this.#kernel, this.entry, path);
  }

  /**
   * open(2) with O_CREAT, and O_APPEND or O_TRUNC.
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @param options `append`: at its end; else it is emptied first
   * @returns write(2) of what was opened
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EISDIR`; `EROFS`; when writing `EFBIG`: the limit `fsize`; `ENOSPC`
   */
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

  /**
   * The names in a directory.
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @returns without `.` and `..`
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process
   */
  readdir(path: string): string[] {
    this.#enter('getdents', path);
    return files.names(this.#kernel, this.entry, path);
  }

  /**
   * chmod(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @param mode 0 to 0o7777
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EPERM`: neither root nor its owner
   */
  chmod(path: string, mode: number): void {
    this.#enter('chmod', path);
    files.chmod(this.#kernel, this.entry, path, mode);
  }

  /**
   * chown(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @param uid the new owner
   * @param gid the new group
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EPERM`: not root
   */
  chown(path: string, uid: number, gid: number): void {
    this.#enter('chown', path);
    files.chown(this.#kernel, this.entry, path, uid, gid);
  }

  /**
   * chflags(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @param flags `UF_…` and `SF_…`, 0: none
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EPERM`: not its owner, or a flag of the system’s and a jail without `chflags`
   */
  chflags(path: string, flags: number): void {
    this.#enter('chflags', path);
    fileFlags.chflags(this.#kernel, this.entry, path, flags);
  }

  /**
   * readlink(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @returns what it leads to, as it was written
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EINVAL`: no symbolic link
   */
  readlink(path: string): string {
    this.#enter('readlink', path);
    return files.readlink(this.#kernel, this.entry, path);
  }

  /**
   * revoke(2): of the slave of a terminal, which is gone for those who have it open; of anything else only whether it
   * is allowed.
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EPERM`: neither root nor its owner
   */
  revoke(path: string): void {
    this.#enter('revoke', path);
    fileFlags.revoke(this.#kernel, this.entry, path);
  }

  /**
   * A descriptor of another process, as SCM_RIGHTS would bring it.
   *
   * @param from who sends it
   * @param fd its number there
   * @returns its number here
   * @throws KernelError `EBADF`, `EMFILE`
   */
  receive(from: ModelProcess, fd: number): number {
    this.#enter('recvmsg');
    return files.install(this.entry, files.fileOf(this.#kernel, from.entry, fd));
  }

  /** @internal A descriptor of something that was made elsewhere. */
  install(file: OpenFile): number {
    return files.install(this.entry, file);
  }

  // ── terminals ──

  /**
   * openpty(3). What is written to the slave waits to be read from the master: a process that ends with the last
   * descriptor of the slave stays until then, whatever it is sent, and {@link close} of that one is a `KernelHang`.
   *
   * @returns the two descriptors, and the name of the slave for {@link revoke}
   * @throws KernelError `EMFILE`
   */
  openpty(): terminals.OpenedPty {
    this.#enter('openpty');
    return terminals.openPty(this.#kernel, this.entry);
  }

  /**
   * write(2) to the slave of a terminal: so many bytes, whatever they are.
   *
   * @param fd the slave
   * @param length how many
   * @returns how many there was room for
   * @throws KernelError `EAGAIN`: there is none; `EIO`: the master is closed; `EBADF`: also when it was revoked; `ENOTTY`
   */
  writeTerminal(fd: number, length: number): number {
    this.#enter('write', String(fd));
    return terminals.writePty(this.#kernel, this.entry, fd, length);
  }

  /**
   * read(2) of the master of a terminal.
   *
   * @param fd the master
   * @param room how many bytes at most. Default: all that have come
   * @returns how many bytes; 0: the slave is closed
   * @throws KernelError `EAGAIN`: nothing has come; `EBADF`, `ENOTTY`
   */
  readTerminal(fd: number, room = Number.POSITIVE_INFINITY): number {
    this.#enter('read', String(fd));
    return terminals.readPty(this.#kernel, this.entry, fd, room);
  }

  // ── mounts and addresses ──

  /**
   * mount(2).
   *
   * @param type `null`, `devfs`, `procfs`, `tmpfs`, …
   * @param path an existing directory
   * @param flags `MNT_RDONLY` (1) and its kind; `MNT_UPDATE` (0x10000): change what is there. Default 0
   * @param source the directory that a null mount shows; null for the others
   * @param options of a tmpfs: what its files may take, and the mode of its root
   * @returns the mount
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `EPERM`: not root, a jail without the capability, or the path lies in a devfs or procfs; `EOPNOTSUPP`:
   *   this type cannot be updated; `ENODEV`: no such type
   */
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

  /**
   * ioctl(2) DEVFS_RULE_ADD on /dev/devfs: a second name for a device in a mount to come.
   *
   * @param mountPoint the name that will be mounted
   * @param device its name in the devfs
   * @param link the second name
   * @throws KernelError `EPERM`: not root
   */
  addDeviceLink(mountPoint: string, device: string, link: string): void {
    this.#enter('DEVFS_RULE_ADD', mountPoint);
    devfs.addDeviceLink(this.#kernel, this.entry, mountPoint, { device, link });
  }

  /**
   * ioctl(2) DEVFS_RULE_CLEAR on /dev/devfs.
   *
   * @param mountPoint the name that the rules are for; `*`: all, a jail’s root included
   * @throws KernelError `EPERM`: not root
   */
  clearDeviceRules(mountPoint: string): void {
    this.#enter('DEVFS_RULE_CLEAR', mountPoint);
    devfs.clearDeviceRules(this.#kernel, this.entry, mountPoint);
  }

  /**
   * unmount(2).
   *
   * @param path the mount point
   * @param flags `MNT_FORCE` (0x80000): even when it is in use. Default 0
   * @throws KernelError `EINVAL`: nothing is mounted there; `EPERM`: not root, or another’s; `EBUSY`
   */
  unmount(path: string, flags = 0): void {
    this.#enter('unmount', path);
    mounts.unmount(this.#kernel, this.entry, path, flags);
  }

  /**
   * getfsstat(2).
   *
   * @returns the mounts that this process sees
   */
  getfsstat(): mounts.MountRow[] {
    this.#enter('getfsstat');
    return mounts.mountRows(this.#kernel, this.entry);
  }

  /**
   * statfs(2).
   *
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @returns the mount that it lies in
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process
   */
  statfs(path: string): mounts.MountRow {
    this.#enter('statfs', path);
    return mounts.statfs(this.#kernel, this.entry, path);
  }

  /**
   * ioctl(2) SIOCAIFADDR or SIOCAIFADDR_IN6.
   *
   * @param interfaceName `lo0`, …
   * @param address 4 or 16 bytes
   * @throws KernelError `ENXIO`: no such interface; `EPERM`: not the host’s root
   */
  addAlias(interfaceName: string, address: Uint8Array): void {
    this.#enter('SIOCAIFADDR', interfaceName);
    interfaces.addAlias(this.#kernel, this.entry, interfaceName, address);
  }

  /**
   * ioctl(2) SIOCDIFADDR or SIOCDIFADDR_IN6.
   *
   * @param interfaceName `lo0`, …
   * @param address 4 or 16 bytes
   * @throws KernelError `ENXIO`: no such interface; `EADDRNOTAVAIL`: it has not that address; `EPERM`: not the host’s
   *   root
   */
  removeAlias(interfaceName: string, address: Uint8Array): void {
    this.#enter('SIOCDIFADDR', interfaceName);
    interfaces.removeAlias(this.#kernel, this.entry, interfaceName, address);
  }

  /**
   * ioctl(2), SIOCSIFFLAGS.
   *
   * @param interfaceName `lo0`, …
   * @throws KernelError `ENXIO`: no such interface; `EPERM`: not the host’s root
   */
  setInterfaceFlags(interfaceName: string): void {
    this.#enter('SIOCSIFFLAGS', interfaceName);
    interfaces.setInterfaceFlags(this.#kernel, this.entry, interfaceName);
  }

  /**
   * getifaddrs(3).
   *
   * @returns links and addresses, of a jail its own only
   */
  getifaddrs(): interfaces.InterfaceAddress[] {
    this.#enter('getifaddrs');
    return interfaces.interfaceAddresses(this.#kernel, this.entry);
  }

  // ── sockets ──

  /**
   * socket(2).
   *
   * @param domain AF_UNIX 1, AF_INET 2, AF_ROUTE 17, AF_INET6 28
   * @param type SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3, SOCK_SEQPACKET 5
   * @param protocol Default 0
   * @returns a descriptor
   * @throws KernelError `EPROTONOSUPPORT`: there is no such socket, or not in this jail; `EPERM`: raw sockets;
   *   `EMFILE`
   */
  socket(domain: number, type: number, protocol = 0): number {
    this.#enter('socket', String(domain));
    return sockets.socket(this.#kernel, this.entry, domain, type, protocol);
  }

  /**
   * bind(2).
   *
   * @param fd of a socket
   * @param endpoint the address and port; port 0: any free one
   * @throws KernelError `EINVAL`: not an address of the jail, or bound already; `EADDRNOTAVAIL`; `EADDRINUSE`;
   *   `EPERM`: a port below 1024, not root; `EAFNOSUPPORT`; `EBADF`, `ENOTSOCK`
   */
  bind(fd: number, endpoint: Endpoint): void {
    this.#enter('bind', endpoint.address);
    sockets.bind(this.#kernel, this.entry, fd, endpoint);
  }

  /**
   * listen(2).
   *
   * @param fd of a socket that is bound
   * @throws KernelError `EDESTADDRREQ`: it is not; `EBADF`, `ENOTSOCK`
   */
  listen(fd: number): void {
    this.#enter('listen', String(fd));
    sockets.listen(this.#kernel, this.entry, fd);
  }

  /**
   * setsockopt(2), SO_REUSEADDR: has the wildcard bound beside one of its addresses. On for sockets of the model, as
   * Node's servers have it.
   *
   * @param fd of a socket
   * @param on whether
   * @throws KernelError `EBADF`, `ENOTSOCK`
   */
  setReuseAddress(fd: number, on: boolean): void {
    this.#enter('setsockopt', String(fd));
    sockets.socketOf(this.#kernel, this.entry, fd).reusesAddress = on;
  }

  /**
   * accept(2), without waiting.
   *
   * @param fd of a socket that listens
   * @returns a descriptor of the oldest connection that waits
   * @throws KernelError `EAGAIN`: none waits; `EINVAL`: it does not listen; `EBADF`, `ENOTSOCK`, `EMFILE`
   */
  accept(fd: number): number {
    this.#enter('accept', String(fd));
    return sockets.accept(this.#kernel, this.entry, fd);
  }

  /**
   * send(2): so many bytes, whatever they are. What the other end has no room for waits here, also after the end of the
   * process.
   *
   * @param fd of a TCP socket that is connected
   * @param length how many
   * @throws KernelError `ENOTCONN`; `EPIPE`: the other end is closed; `EBADF`, `ENOTSOCK`
   */
  send(fd: number, length: number): void {
    this.#enter('sendto', String(fd));
    sockets.send(this.#kernel, this.entry, fd, length);
  }

  /**
   * recv(2) of everything that has come.
   *
   * @param fd of a TCP socket that is connected
   * @returns how many bytes
   * @throws KernelError `ENOTCONN`; `EBADF`, `ENOTSOCK`
   */
  recv(fd: number): number {
    this.#enter('recvfrom', String(fd));
    return sockets.receive(this.#kernel, this.entry, fd);
  }

  /**
   * connect(2).
   *
   * @param fd of a socket
   * @param endpoint whom
   * @throws KernelError `ECONNREFUSED`, `EHOSTUNREACH`, `EADDRNOTAVAIL`, `EAFNOSUPPORT`; `EBADF`, `ENOTSOCK`
   */
  connect(fd: number, endpoint: Endpoint): void {
    this.#enter('connect', endpoint.address);
    sockets.connect(this.#kernel, this.entry, fd, endpoint);
  }

  /**
   * connect(2) of a socket of the local domain.
   *
   * @param fd of a socket
   * @param path as this process sees it: below its root, from its working directory unless it is absolute
   * @throws KernelError `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere for this
   *   process; `ECONNREFUSED`: no socket is there; `EBADF`, `ENOTSOCK`
   */
  connectPath(fd: number, path: string): void {
    this.#enter('connect', path);
    sockets.connectPath(this.#kernel, this.entry, fd, path);
  }

  /**
   * getsockname(2).
   *
   * @param fd of a socket
   * @returns its own address, as this process sees it
   * @throws KernelError `EINVAL`: its connection was refused; `EBADF`, `ENOTSOCK`
   */
  getsockname(fd: number): Endpoint {
    this.#enter('getsockname', String(fd));
    return sockets.socketName(this.#kernel, this.entry, fd);
  }

  /**
   * getpeername(2).
   *
   * @param fd of a socket
   * @returns whom it is connected to, as this process sees it
   * @throws KernelError `ENOTCONN`; `EBADF`, `ENOTSOCK`
   */
  getpeername(fd: number): Endpoint {
    this.#enter('getpeername', String(fd));
    return sockets.peerName(this.#kernel, this.entry, fd);
  }

  /**
   * An error of the kernel's, for callers that check what it would.
   *
   * @param code DragonFly’s name of it
   * @returns the error, not thrown
   */
  error(code: ErrnoName): KernelError {
    return this.#kernel.error(code);
  }

  #enter(call: string, about = ''): void {
    if (this.entry.isZombie) throw this.#kernel.error('ESRCH');
    this.#kernel.connections.expire();
    this.#kernel.faults.enter(call, this.entry.pid, about);
  }
}
