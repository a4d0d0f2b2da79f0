import type { Feature, Probe } from '../../reports.js';
import { NO_FILTER } from './limits.js';
import { type Machine, thisMachine } from './machine.js';
import { isAtLeast, MINIMUM_RELEASE } from './release.js';

const CAP_SYS_ADMIN = 21n;
// The user ids that jails made by root are given, see native/common/registry.cc.
const FIRST_ID = 0x70000000;
const END_OF_IDS = 0x7fff0000;
const CGROUPS = '/sys/fs/cgroup';

// What every jail needs.
const NEEDED = ['native', 'kernel', 'userNamespaces', 'programsInMemory', 'privateMemory'];

const NEEDS_ROOT = 'it needs root';
const AS_ROOT = 'run the program as root';

/** Why this process cannot enter a jail, and what to do instead. */
export const NO_ATTACH = {
  reason: 'Linux cannot move a running process with threads, such as Node, into a jail',
  hint: 'run a command in the jail with spawn()',
};

/**
 * What this machine can do, each by looking at what decides it.
 *
 * @param machine another one in tests
 */
export function probeLinux(machine: Machine = thisMachine()): Probe {
  const features: Record<string, Feature> = {
    native: native(machine),
    kernel: kernel(machine),
    userNamespaces: userNamespaces(machine),
    programsInMemory: programsInMemory(machine),
    privateMemory: privateMemory(machine),
    users: users(machine),
    idmappedMounts: idmappedMounts(machine),
    hostNetwork: hostNetwork(machine),
    sourceFilter: sourceFilter(machine),
    procfs: procfs(machine),
    memoryLimit: wholeJailLimit(machine, 'memory'),
    processLimit: wholeJailLimit(machine, 'pids'),
    pty: pty(machine),
    processChildren: processChildren(machine),
    persist: yes(),
    mountInside: no('a jail’s root can mount nothing on Linux', 'use mounts of the jail’s spec'),
    attachThisProcess: no(NO_ATTACH.reason, NO_ATTACH.hint),
  };
  const jails = firstMissing(features, NEEDED);
  return {
    backend: 'linux',
    release: machine.release,
    privileged: machine.uid === 0,
    features: { jails, ...features },
  };
}

function yes(reason?: string): Feature {
  return reason === undefined ? { available: true } : { available: true, reason };
}

function no(reason: string, hint?: string): Feature {
  return hint === undefined ? { available: false, reason } : { available: false, reason, hint };
}

function firstMissing(features: Record<string, Feature>, names: readonly string[]): Feature {
  for (const name of names) {
    const feature = features[name];
    if (feature !== undefined && !feature.available) return feature;
  }
  return yes();
}

function native(machine: Machine): Feature {
  const problem = machine.nativeProblem();
  return problem === null ? yes() : no(problem, 'run npm rebuild dragonfly-jail');
}

function kernel({ release }: Machine): Feature {
  if (isAtLeast(release, MINIMUM_RELEASE)) return yes();
  return no(`jails need Linux ${MINIMUM_RELEASE} or later, this is ${release}`);
}

function userNamespaces(machine: Machine): Feature {
  if (!machine.exists('/proc/self/ns/user')) {
    return no('this kernel has no user namespaces', 'use a kernel with CONFIG_USER_NS');
  }
  if (number(machine, '/proc/sys/user/max_user_namespaces') === 0) {
    return no('user.max_user_namespaces is 0', 'sysctl user.max_user_namespaces=10000');
  }
  if (hasSysAdmin(machine)) return yes();
  return unprivilegedNamespaces(machine);
}

function unprivilegedNamespaces(machine: Machine): Feature {
  if (number(machine, '/proc/sys/kernel/unprivileged_userns_clone') === 0) {
    const hint = 'sysctl kernel.unprivileged_userns_clone=1, or run as root';
    return no('kernel.unprivileged_userns_clone is 0', hint);
  }
  if (number(machine, '/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1) {
    return no(
      'AppArmor keeps ordinary users from user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)',
      'sysctl kernel.apparmor_restrict_unprivileged_userns=0, give node a profile with userns, or run as root',
    );
  }
  if (statusField(machine, 'Seccomp') === '2') {
    return yes('a seccomp filter is active (a container?), and may refuse user namespaces');
  }
  return yes();
}

// The programs that a jail could get hold of are copies in memory.
function programsInMemory(machine: Machine): Feature {
  if (number(machine, '/proc/sys/vm/memfd_noexec') !== 2) return yes();
  return no('vm.memfd_noexec is 2: nobody may run a file in memory', 'sysctl vm.memfd_noexec=1');
}

// What changes its user then can be looked into by the new one: a command on its way, with the monitor's memory.
function privateMemory(machine: Machine): Feature {
  if (number(machine, '/proc/sys/fs/suid_dumpable') !== 1) return yes();
  const reason = 'fs.suid_dumpable is 1: the monitor’s memory could be read from inside';
  return no(reason, 'sysctl fs.suid_dumpable=0, or 2');
}

function users(machine: Machine): Feature {
  if (machine.uid !== 0) {
    return no('an ordinary user has one user id only, the jail’s root', AS_ROOT);
  }
  if (!hasSysAdmin(machine)) return no('this root has no CAP_SYS_ADMIN (a container?)');
  if (!hasIds(machine)) {
    return no(`this root’s user namespace has no ids from ${FIRST_ID} to ${END_OF_IDS - 1}`);
  }
  return yes();
}

// Lines of uid_map: first id inside, first id outside, count.
function hasIds(machine: Machine): boolean {
  const map = machine.read('/proc/self/uid_map') ?? '';
  return map.split('\n').some((line) => {
    const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return inside <= FIRST_ID && inside + count >= END_OF_IDS;
  });
}

function idmappedMounts(machine: Machine): Feature {
  if (machine.uid !== 0) return no(`${NEEDS_ROOT}, and only jails made by root need it`, AS_ROOT);
  if (!isAtLeast(machine.release, MINIMUM_RELEASE)) return kernel(machine);
  if (isAtLeast(machine.release, '6.3')) return yes();
  return yes('not on every file system: tmpfs only from Linux 6.3 on, overlayfs from 5.19');
}

function hostNetwork(machine: Machine): Feature {
  if (machine.uid !== 0) {
    return no(`${NEEDS_ROOT}: an ordinary user’s jail has its addresses to itself`, AS_ROOT);
  }
  if (!hasSysAdmin(machine)) return no('this root has no CAP_SYS_ADMIN (a container?)');
  if (!machine.exists('/proc/sys/net/ipv6')) return yes('IPv4 only: this kernel has no IPv6');
  return yes();
}

function sourceFilter(machine: Machine): Feature {
  const network = hostNetwork(machine);
  if (!network.available) return network;
  if (machine.nativeProblem() !== null) return native(machine);
  if (machine.canFilterSources()) return yes('a program of classic BPF at ingress (tc)');
  return no(
    `${NO_FILTER}: rawSockets is refused to jails with addresses`,
    'load or install its modules sch_ingress and cls_bpf',
  );
}

// A new proc is refused in a user namespace while parts of the old one are hidden.
function procfs(machine: Machine): Feature {
  const covered = (machine.read('/proc/self/mountinfo') ?? '')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith('/proc/') && target !== '/proc/sys/fs/binfmt_misc');
  if (covered.length === 0) return yes();
  return no(
    `parts of /proc are hidden by other mounts (a container?): ${covered.join(', ')}`,
    'leave procfs out of mounts, or run the container with /proc unmasked',
  );
}

function wholeJailLimit(machine: Machine, controller: 'memory' | 'pids'): Feature {
  const unified = machine.read(`${CGROUPS}/cgroup.controllers`);
  if (unified !== null) return unifiedLimit(machine, controller, unified);
  const folder = `${CGROUPS}/${controller}`;
  if (!machine.exists(folder)) return no(`there is no control group controller ${controller}`);
  if (machine.uid === 0 && machine.writable(folder)) return yes();
  return no(`${folder} is not writable`, AS_ROOT);
}

function unifiedLimit(machine: Machine, controller: string, controllers: string): Feature {
  if (!controllers.split(/\s+/).includes(controller)) {
    return no(`the control groups have no controller ${controller}`);
  }
  const file = `${CGROUPS}/cgroup.subtree_control`;
  if (machine.uid === 0 && machine.writable(file)) return yes();
  return no(`${file} is not writable`, machine.uid === 0 ? undefined : AS_ROOT);
}

function pty(machine: Machine): Feature {
  if (machine.writable('/dev/ptmx')) return yes();
  return no('/dev/ptmx cannot be opened', 'mount devpts on /dev/pts');
}

function processChildren(machine: Machine): Feature {
  if (machine.exists('/proc/thread-self/children')) return yes();
  return no('this kernel has no /proc/<pid>/task/<tid>/children: every listing reads all of /proc');
}

function hasSysAdmin(machine: Machine): boolean {
  const mask = statusField(machine, 'CapEff') ?? '0';
  return ((BigInt(`0x${mask}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}

function statusField(machine: Machine, name: string): string | undefined {
  const status = machine.read('/proc/self/status') ?? '';
  return new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
}

function number(machine: Machine, path: string): number | null {
  const text = machine.read(path);
  return text === null ? null : Number.parseInt(text, 10);
}
