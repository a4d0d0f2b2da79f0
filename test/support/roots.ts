import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { MountSpec } from 'dragonfly-jail';
import { prepareThinRoot } from 'dragonfly-jail/rootfs';
import { nodePath } from './environment.js';

/** The root of a suite's jails, and a folder of the host that no jail is to see. */
export interface TestRoot {
  /** The jail's `/`. */
  readonly path: string;
  readonly mounts: MountSpec[];
  /** A private folder of the host beside the root. */
  readonly outside: string;
  remove(): Promise<void>;
}

/** Makes a root in which the host's programs run, Node among them. */
export async function makeRoot(name = 'root'): Promise<TestRoot> {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'dfjail-test-')));
  const path = join(outside, name);
  const { mounts } = await prepareThinRoot(path, { include: [nodeFolder()] });
  const remove = () => rm(outside, { recursive: true, force: true });
  return { path, mounts, outside, remove };
}

// Of a Node that is not the system's: with the libraries that may lie beside its bin.
function nodeFolder(): string {
  const folder = dirname(nodePath);
  return basename(folder) === 'bin' && folder !== '/bin' ? dirname(folder) : folder;
}
