/** One process of the host; a recycled pid is another one. */
export interface HostProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** One letter: R, S, D, T, Z. */
  readonly state: string;
  /** It has ended, and only waits for others to notice: for its parent, or for those of what was below it. */
  readonly ended: boolean;
  readonly start: string;
}

/**
 * What the tests ask the host about itself, so as not to believe the package: the kernel's own files on Linux, the
 * programs of the base system on DragonFly. What varies by system in a test varies here.
 */
export interface HostSystem {
  /** Every process. */
  processes(): HostProcess[];
  /** The process of that pid, or null when there is none. A zombie is one. */
  process(pid: number): HostProcess | null;
  /** Its arguments, joined by spaces; null: it is gone. */
  argumentsOf(pid: number): string | null;
  /** The path of its terminal; empty: it has none. */
  terminalOf(pid: number): string;
  /** Its environment, if this user may see it. */
  environmentOf(pid: number): string;
  /** The most that it has had in memory, in bytes; on DragonFly what it has now. */
  peakSize(pid: number): number;
  /** Its resident size in bytes. */
  residentSize(pid: number): number;
  /** How many descriptors it has open; 0 where only root may know and this is not root. */
  descriptorsOf(pid: number): number;
  /** What this very process has open. */
  ownDescriptors(): string[];
  /** The processes of jails whose roots are below a directory, however they were started. */
  processesBelow(directory: string): HostProcess[];
  /** The mounts, one a line. */
  mounts(): string[];
  /** Mounts a file system in memory; what takes it back. Its size in kilobytes, and how many files there may be. */
  mountSmall(path: string, limits: { kilobytes?: number; files?: number }): () => void;
  /** Makes a directory read-only for everybody by a mount; what takes it back. */
  mountReadOnly(path: string): () => void;
  /** The interfaces, up or not; on DragonFly with their addresses, a line for each. */
  interfaces(): string[];
  /** What makes the host reach an address of a jail. */
  routesTo(address: string): string[];
  /** The networks that are apart from each other, of those that this user may look at; none on DragonFly. */
  networks(): Set<string>;
  /** The words of a shell that start a program in a session of its own. */
  readonly inOwnSession: string;
  /** The words of a shell that print the octal mode, and the owner, of a file. */
  readonly printMode: string;
  readonly printOwner: string;
}
