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
  kern.add('maxfiles', plainLeaf('Maximum number of files', 1 << 16), 7);
  kern.add('securelevel', plainLeaf('Current secure level', -1), 9);
  kern.add('hostid', plainLeaf('Host ID', 0), 11);
  kern.add('domainname', textLeaf('Name of the current YP/NIS domain', '', WRITABLE), 22);
  kern.add('bootfile', textLeaf('Name of kernel file booted', '/boot/kernel', WRITABLE), 26);
  kern.add('msgbuf', textLeaf('Contents of kernel message buffer', ''), 27 + 256);
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

const WRITABLE = sysctlFlags.read | sysctlFlags.write;

function textLeaf(
  description: string,
  initially: string,
  flags: number = sysctlFlags.read,
): SysctlLeaf {
  let text = Buffer.from(`${initially}\0`);
  return {
    kind: (flags | sysctlTypes.string) >>> 0,
    format: 'A',
    description,
    read: () => text,
    write: (_writer, bytes) => {
      text = Buffer.from(bytes);
    },
  };
}

function plainLeaf(description: string, initially: number): SysctlLeaf {
  let number = initially;
  return intLeaf(
    description,
    () => number,
    (_writer, value) => {
      number = value;
    },
  );
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
