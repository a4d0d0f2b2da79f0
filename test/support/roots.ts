import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { MountSpec } from 'dragonfly-jail';
import { prepareThinRoot } from 'dragonfly-jail/rootfs';
import type { ModelKernel } from 'dragonfly-jail/testing';
import { nodePath, onRealDragonfly } from './environment.js';
import { modelKernel } from './model/world.js';
import { mountAsAdministrator } from './system/dragonfly-root.js';

const MNT_RDONLY = 1;
const PASSWD = 'root:*:0:0::/root:/bin/sh\nnobody:*:65534:65534::/:/bin/sh\n';

/** The root of a suite's jails, and a folder of the host that no jail is to see. */
export interface TestRoot {
  /** The jail's `/`. */
  readonly path: string;
  readonly mounts: MountSpec[];
  /** A private folder of the host beside the root. */
  readonly outside: string;
  remove(): Promise<void>;
}

/** How a root is to be. */
export interface RootOptions {
  /** Its jails make their own /dev and /proc: where DragonFly has one already it takes no other. */
  readonly ownDevices?: boolean;
}

/** Makes a root in which the host's programs run, Node among them. */
export async function makeRoot(
  name = 'root',
  { ownDevices = false }: RootOptions = {},
): Promise<TestRoot> {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'dfjail-test-')));
  const path = join(outside, name);
  const kernel = modelKernel();
  if (kernel !== null) return modelRoot(kernel, outside, path);
  const { mounts } = await prepareThinRoot(path, { include: [nodeFolder()] });
  const remove = () => rm(outside, { recursive: true, force: true });
  if (!onRealDragonfly) return { path, mounts, outside, remove };
  // There all jails of a root see the same mounts, so they are made once, as an administrator does it.
  const unmount = mountAsAdministrator(mounts, { path, outside, ownDevices });
  const removeAll = async () => {
    unmount();
    await remove();
  };
  return { path, mounts: [], outside, remove: removeAll };
}

// Of a Node that is not the system's: with the libraries that may lie beside its bin.
function nodeFolder(): string {
  const folder = dirname(nodePath);
  return basename(folder) === 'bin' && folder !== '/bin' ? dirname(folder) : folder;
}

// In the model's file system; what the test itself opens is in the real folder of the same name. What all jails of the
// root have is mounted once, as an administrator of DragonFly does: there a root is seen with the same mounts by all.
function modelRoot(kernel: ModelKernel, outside: string, path: string): TestRoot {
  const { host } = kernel;
  for (const folder of ['bin', 'usr', 'etc', 'home', 'mnt', 'dev', 'proc', 'tmp', 'root']) {
    kernel.directory(join(path, folder));
  }
  kernel.file(join(path, 'etc/passwd'), PASSWD);
  kernel.file(join(path, 'etc/group'), 'wheel:*:0:root\n');
  for (const name of ['null', 'zero']) {
    host.create(join(path, 'dev', name), 'device');
    host.chmod(join(path, 'dev', name), 0o666);
  }
  for (const folder of ['/bin', '/usr']) {
    host.mount('null', join(path, folder), MNT_RDONLY, folder);
  }
  host.mount('tmpfs', join(path, 'tmp'), 0, null);
  host.chmod(join(path, 'tmp'), 0o1777);
  const remove = async () => {
    for (const folder of ['tmp', 'usr', 'bin']) host.unmount(join(path, folder), 0);
    await rm(outside, { recursive: true, force: true });
  };
  return { path, mounts: [], outside, remove };
}
