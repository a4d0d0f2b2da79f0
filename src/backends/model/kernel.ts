import type { CapabilityName } from '../../capabilities.js';
import type { KernelLayout } from '../dragonfly/layout.js';
import { layout59 } from '../dragonfly/layout-5.9.js';
import type { DeviceLink } from './calls/devfs.js';
import { exit as end, replaceProgram } from './calls/lifecycle.js';
import { Connections } from './connections.js';
import { Faults } from './faults.js';
import { type ErrnoName, KernelError } from './kernel-error.js';
import type { Kernel, KernelSettings } from './kernel-state.js';
import type { KernelThread } from './kinfo-encoder.js';
import { ModelProcess } from './model-process.js';
import { MountTable } from './mount-table.js';
import { Network } from './network.js';
import { Place } from './place.js';
import type { Prison } from './prison.js';
import { PrisonTable } from './prison-table.js';
import { type Clock, ProcessTable } from './process-table.js';
import { ProgramTable } from './program-table.js';
import type { Pty } from './pty.js';
import { SocketTable } from './socket.js';
import { addJailTree } from './sysctl-jail.js';
import { addKernTree } from './sysctl-kern.js';
import { SysctlBranch, type SysctlNode } from './sysctl-tree.js';
import { type KernelVersion, type VersionTraits, versionTraits } from './versions.js';
import { FileSystem } from './vnode.js';

/** What a model kernel is to be like. */
export interface ModelKernelOptions {
  /** Default `'5.8'`. */
  version?: KernelVersion;
  /** Default 1. With more, a refused write to a hostname hangs later ones for ever on 5.x, as it does there. */
  cpus?: number;
  /** Default `host.test`. */
  hostname?: string;
  /** Threads that `kern.proc` shows beside the processes. Default: a few. */
  kernelThreads?: readonly KernelThread[];
  /** Kernel modules that matter here: `netgraph`. */
  modules?: readonly string[];
  /** ms since 1970. Default: the time of day. */
  clock?: Clock;
  /** The inode number of the root directory. */
  rootInode?: number;
  /** The file system of the root directory, and its device. Default: `hammer2` of `ROOT`. */
  root?: { readonly type: string; readonly device: string };
}

const KILL = layout59.signals.SIGKILL ?? 9;
const SOME_THREADS: readonly KernelThread[] = [
  { name: 'pagedaemon' },
  { name: 'bufdaemon' },
  { name: 'idle_0', idle: true },
];

/**
 * A DragonFly kernel for tests, at the boundary of its system calls: the same answers and the same errors, checked
 * against recordings of a real one, without a DragonFly machine and without privileges. Programs in it are functions.
 *
 * @example
 * const kernel = new ModelKernel();
 * kernel.directory('/jails/www');
 * kernel.programs.add('/bin/hello', ({ stdout, argv }) => {
 *   stdout.write(`hello ${argv[1]}\n`);
 * });
 * const restore = useModelKernel(kernel);
 * const jail = await Jail.create({ path: '/jails/www', hostname: 'www' });
 * const { stdout } = await jail.exec('/bin/hello', ['world']); // 'hello world\n'
 * await jail.stop();
 * restore();
 */
export class ModelKernel implements Kernel {
  /** As it was asked for. */
  readonly version: KernelVersion;
  /** What this version has and has not. */
  readonly traits: VersionTraits;
  /** Sizes, offsets and numbers: those of 5.9. */
  readonly layout: KernelLayout = layout59;
  /** As they were asked for. */
  readonly cpus: number;
  /** The hostname and switches of the whole host. */
  readonly settings: KernelSettings;
  /** Capabilities that new jails start with: `jail.defaults.*`. */
  readonly template: Set<CapabilityName>;
  /** The host’s root directory. */
  readonly root: Place;
  /** What is mounted; `all` has them in order. */
  readonly mounts = new MountTable();
  /** Rules of devfs, by the name that is mounted: see `addDeviceLink()` of a process. */
  readonly deviceRules = new Map<string, readonly DeviceLink[]>();
  /** The jails, by number; see {@link jails}. */
  readonly prisons = new PrisonTable();
  /** The processes: `all`, and by number. */
  readonly processes: ProcessTable;
  /** Threads of the kernel’s own, which listings show. */
  readonly kernelThreads: readonly KernelThread[];
  /** The host’s interfaces and their addresses. */
  readonly network = new Network();
  /** Sockets that are bound. */
  readonly sockets = new SocketTable();
  /** TCP connections: they keep jails alive. */
  readonly connections: Connections;
  /** @internal Terminals that are open. */
  readonly ptys = new Set<Pty>();
  /** Names of kernel modules that are loaded. */
  readonly modules: ReadonlySet<string>;
  /** The tree of sysctl nodes. */
  readonly sysctl = new SysctlBranch();
  /** Has calls fail, and tells which were made. */
  readonly faults = new Faults();
  /** The programs that can be run: functions, by the path that they have in every jail. */
  readonly programs = new ProgramTable();
  /** The lock of all sysctls was left held, as 5.4 to 5.9 do after a refused sethostname. */
  sysctlLockLost = false;
  #host: ModelProcess | null = null;
  /** As they are after a boot. */
  readonly #settings: KernelSettings;

  /** @param options see {@link ModelKernelOptions} */
  constructor(options: ModelKernelOptions = {}) {
    this.version = options.version ?? '5.8';
    this.traits = versionTraits(this.version);
    this.cpus = options.cpus ?? 1;
    this.settings = {
      hostname: options.hostname ?? 'host.test',
      allowOpenDirectories: 1,
      userMount: false,
      rootDevice: options.root?.device ?? 'ROOT',
    };
    this.#settings = { ...this.settings };
    this.template = new Set(this.traits.initiallyOn);
    this.kernelThreads = options.kernelThreads ?? SOME_THREADS;
    this.modules = new Set(options.modules);
    this.root = new Place(
      new FileSystem(options.root?.type ?? 'hammer2', options.rootInode).root,
      null,
    );
    const clock = options.clock ?? Date.now;
    this.processes = new ProcessTable(this.root, clock);
    this.connections = new Connections(clock);
    addJailTree(this, this.sysctl);
    addKernTree(this, this.sysctl);
  }

  /** The first process of a host's root: to look around, and to set things up. */
  get host(): ModelProcess {
    this.#host ??= this.boot('node');
    return this.#host;
  }

  /**
   * Another process of the host's root, a child of init.
   *
   * @param command its name
   * @returns the process, root and not jailed
   */
  boot(command: string): ModelProcess {
    const entry = this.processes.fork(this.processes.init);
    entry.pgid = entry.pid;
    entry.sid = entry.pid;
    replaceProgram(entry, `/bin/${command}`, [`/bin/${command}`]);
    return new ModelProcess(this, entry);
  }

  /**
   * Makes a directory and those above it.
   *
   * @param path absolute
   */
  directory(path: string): void {
    let at = '';
    for (const part of path.split('/').filter((name) => name !== '')) {
      at += `/${part}`;
      if (!this.#isThere(at)) this.host.create(at, 'directory');
    }
  }

  /**
   * Makes a file and the directories above it.
   *
   * @param path absolute
   * @param content what is in it. Default: nothing
   * @throws KernelError `EEXIST`: it is there already
   */
  file(path: string, content = ''): void {
    this.directory(path.slice(0, path.lastIndexOf('/')));
    this.host.create(path, 'file', content);
  }

  /** The jails that exist, newest first, whoever made them. */
  get jails(): readonly Prison[] {
    this.connections.expire();
    return this.prisons.all;
  }

  /**
   * A boot of the same machine: every process is gone, with its jails, mounts, aliases and connections; jids and pids
   * begin again. Files stay, but for those of a tmpfs, and so does what a program has noted in them.
   *
   * @example
   * const first = await Jail.create({ path: '/jails/www', hostname: 'www', name: 'www' });
   * kernel.reboot();
   * const again = await Jail.create({ path: '/jails/www', hostname: 'www', name: 'www' });
   * console.log(first.jid === again.jid); // true
   */
  reboot(): void {
    for (const entry of this.processes.all) if (entry.pid > 1) end(this, entry, KILL);
    this.#host = null;
    for (const table of [this.processes, this.mounts, this.connections, this.sockets]) {
      table.reboot();
    }
    for (const table of [this.prisons, this.network]) table.reboot();
    for (const table of [this.deviceRules, this.ptys, this.template]) table.clear();
    for (const name of this.traits.initiallyOn) this.template.add(name);
    Object.assign(this.settings, this.#settings);
    this.sysctlLockLost = false;
  }

  /**
   * The nodes below a name that have values, in their order.
   *
   * @param prefix `jail`, `kern.proc`, …
   * @returns the nodes, with their names and numbers
   */
  sysctlNodes(prefix: string): SysctlNode[] {
    return [...this.sysctl.walk('', [])].filter(({ name }) => name.startsWith(`${prefix}.`));
  }

  /**
   * An error of this kernel.
   *
   * @param code DragonFly’s name of it
   * @returns the error, not thrown
   */
  error(code: ErrnoName): KernelError {
    return new KernelError(code);
  }

  #isThere(path: string): boolean {
    try {
      this.host.stat(path);
      return true;
    } catch {
      return false;
    }
  }
}
