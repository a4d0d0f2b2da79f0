import assert from 'node:assert/strict';
import type { Machine } from '#internal/backends/linux/machine.js';
import { probeLinux } from '#internal/backends/linux/probe.js';

const ALL = '000001ffffffffff';
const NONE = '0000000000000000';

interface Host {
  release?: string;
  uid?: number;
  capabilities?: string;
  files?: Record<string, string>;
  missing?: readonly string[];
  readOnly?: readonly string[];
  problem?: string;
  noFilter?: boolean;
}

// A machine on which everything is possible, but for what is said.
function machine(host: Host): Machine {
  const { uid = 0, missing = [], readOnly = [] } = host;
  const files: Record<string, string> = {
    '/proc/self/status': `Name:\tnode\nCapEff:\t${host.capabilities ?? (uid === 0 ? ALL : NONE)}\nSeccomp:\t0\n`,
    '/proc/self/uid_map': '         0          0 4294967295\n',
    '/proc/self/mountinfo': '22 1 0:20 / /proc rw - proc proc rw\n',
    '/sys/fs/cgroup/cgroup.controllers': 'cpu memory pids\n',
    ...host.files,
  };
  return {
    release: host.release ?? '6.6.0',
    uid,
    read: (path) => files[path] ?? null,
    exists: (path) => !missing.includes(path),
    writable: (path) => !readOnly.includes(path),
    canFilterSources: () => host.noFilter !== true,
    nativeProblem: () => host.problem ?? null,
  };
}

function feature(name: string, host: Host) {
  const found = probeLinux(machine(host)).features[name];
  assert(found !== undefined, name);
  return found;
}

function assertMissing(name: string, host: Host, reason: RegExp): void {
  const { available, reason: told } = feature(name, host);
  assert.equal(available, false, name);
  assert.match(told ?? '', reason);
}

describe('probe() on Linux', () => {
  it('finds everything where everything is', () => {
    const { backend, privileged, features } = probeLinux(machine({}));
    assert.deepEqual([backend, privileged], ['linux', true]);
    const missing = Object.keys(features).filter((name) => !features[name]?.available);
    assert.deepEqual(missing, ['mountInside', 'attachThisProcess']);
  });

  it('gives a reason for everything that is not there', () => {
    const { features } = probeLinux(machine({ uid: 1000, release: '4.19', problem: 'no addon' }));
    for (const [name, { available, reason }] of Object.entries(features)) {
      assert(available || (reason ?? '').length > 0, name);
    }
  });

  it('names the switch that keeps ordinary users from namespaces', () => {
    const clone = '/proc/sys/kernel/unprivileged_userns_clone';
    const apparmor = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';
    const max = '/proc/sys/user/max_user_namespaces';
    for (const name of ['userNamespaces', 'jails']) {
      assertMissing(name, { uid: 1, files: { [clone]: '0\n' } }, /unprivileged_userns_clone/);
      assertMissing(name, { uid: 1, files: { [apparmor]: '1\n' } }, /AppArmor/);
      assertMissing(name, { files: { [max]: '0\n' } }, /max_user_namespaces/);
      assertMissing(name, { missing: ['/proc/self/ns/user'] }, /no user namespaces/);
    }
    assert(feature('jails', { uid: 1, files: { [clone]: '1\n', [apparmor]: '0\n' } }).available);
    assert(feature('jails', { files: { [clone]: '0\n', [apparmor]: '1\n' } }).available);
  });

  it('names the settings with which jails would not be safe', () => {
    const [noexec, dumpable] = ['/proc/sys/vm/memfd_noexec', '/proc/sys/fs/suid_dumpable'];
    for (const name of ['programsInMemory', 'jails']) {
      assertMissing(name, { files: { [noexec]: '2\n' } }, /vm\.memfd_noexec is 2/);
      assert(feature(name, { files: { [noexec]: '1\n' } }).available);
    }
    for (const name of ['privateMemory', 'jails']) {
      assertMissing(name, { files: { [dumpable]: '1\n' } }, /fs\.suid_dumpable is 1/);
      assert(feature(name, { files: { [dumpable]: '2\n' } }).available);
    }
  });

  it('knows the kernels that are too old', () => {
    assertMissing('jails', { release: '5.11.22-generic' }, /5\.12/);
    assertMissing('jails', { release: '4.19.0' }, /5\.12/);
    assert(feature('jails', { release: '5.12.0' }).available);
    assert(feature('jails', { release: '10.0-rc1' }).available);
  });

  it('sees a container’s limits', () => {
    assertMissing('users', { capabilities: NONE }, /CAP_SYS_ADMIN/);
    const few = { '/proc/self/uid_map': '0 100000 65536\n' };
    assertMissing('users', { files: few }, /no ids/);
    const masked =
      '22 1 0:20 / /proc rw - proc p rw\n23 22 0:5 /null /proc/kcore rw - tmpfs t rw\n';
    assertMissing('procfs', { files: { '/proc/self/mountinfo': masked } }, /\/proc\/kcore/);
    const control = '/sys/fs/cgroup/cgroup.subtree_control';
    assertMissing('memoryLimit', { readOnly: [control] }, /not writable/);
    const pids = { '/sys/fs/cgroup/cgroup.controllers': 'cpu pids\n' };
    assertMissing('memoryLimit', { files: pids }, /memory/);
    assert(feature('processLimit', { files: pids }).available);
  });

  it('tells by what sources are filtered, and what is refused without it', () => {
    assert.match(feature('sourceFilter', {}).reason ?? '', /BPF/);
    assertMissing('sourceFilter', { noFilter: true }, /rawSockets/);
    assertMissing('sourceFilter', { problem: 'no addon' }, /no addon/);
    assertMissing('sourceFilter', { capabilities: NONE }, /CAP_SYS_ADMIN/);
  });

  it('says what only root can have', () => {
    for (const name of ['users', 'hostNetwork', 'sourceFilter', 'memoryLimit']) {
      const { available, hint } = feature(name, { uid: 1000 });
      assert.deepEqual([available, hint], [false, 'run the program as root'], name);
    }
  });
});
