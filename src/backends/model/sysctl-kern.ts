import { layout59 } from '../dragonfly/layout-5.9.js';
import { sysctlFlags, sysctlTypes } from '../dragonfly/sysctl-value.js';
import { mayWriteHostname, writeHostname } from './calls/hostname.js';
import type { Kernel } from './kernel-state.js';
import { intLeaf, SysctlBranch, type SysctlLeaf } from './sysctl-tree.js';

const KERN = 1;
const HOSTNAME = 10;

/** Adds what of `kern` has to do with jails. */
export function addKernTree(kernel: Kernel, root: SysctlBranch): void {
  const kern = root.add('kern', new SysctlBranch(), KERN);
  kern.add('hostname', hostnameLeaf(kernel), HOSTNAME);
  kern.add('osrelease', textLeaf('Operating system release', kernel.traits.release), 2);
  kern.add('ostype', textLeaf('Operating system type', 'DragonFly'), 1);
  const { settings } = kernel;
  kern.add(
    'chroot_allow_open_directories',
    intLeaf(
      '',
      () => settings.allowOpenDirectories,
      (_writer, value) => {
        settings.allowOpenDirectories = value;
      },
    ),
  );
}

function textLeaf(description: string, text: string): SysctlLeaf {
  const kind = (sysctlFlags.read | sysctlTypes.string) >>> 0;
  return { kind, format: 'A', description, read: () => Buffer.from(`${text}\0`) };
}

function hostnameLeaf(kernel: Kernel): SysctlLeaf {
  const flags = sysctlFlags.read | sysctlFlags.write | sysctlFlags.prison;
  return {
    kind: (flags | sysctlTypes.string) >>> 0,
    format: 'A',
    description: 'Hostname',
    read: ({ credential }) =>
      Buffer.from(`${credential.prison?.hostname ?? kernel.settings.hostname}\0`),
    write(writer, bytes) {
      mayWriteHostname(kernel, writer);
      if (bytes.length >= layout59.limits.hostname) throw kernel.error('EINVAL');
      writeHostname(kernel, writer, Buffer.from(bytes).toString('utf8').replace(/\0.*$/s, ''));
    },
  };
}
