import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type Jail, probe } from 'dragonfly-jail';
import {
  ATTACK,
  assertRefused,
  assertWorks,
  attackOutside,
  compileAttacks,
  inNamespaces,
  inside,
  needControl,
  outside,
} from '../support/attack.js';
import { isRoot, onDragonfly, skip, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';

// Flags of clone(2).
const NAMESPACES = {
  mount: 0x20000,
  cgroup: 0x2000000,
  hostname: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
  time: 0x80,
};
const USER_NAMESPACE = String(NAMESPACES.user);

// Who may do it outside: everybody, or the machine's root alone.
const EVERYBODY = onDragonfly ? [] : ['add-key', 'session-keyring', 'request-key', 'io-uring'];
const ROOT_ALONE_ON_LINUX = [
  'bpf',
  'perf',
  'kexec',
  'kexec-file',
  'load-module',
  'load-module-file',
  'remove-module',
  'swap',
  'account',
  'set-clock',
  'kernel-log',
  'fanotify',
];

// With their arguments. Those about a setting write what it is already.
const ROOT_ALONE_ON_DRAGONFLY = [
  'load-module',
  'remove-module',
  'swap',
  'account',
  'set-clock',
  'step-clock',
  'kernel-environment',
  'make-jail',
  'write-setting kern.maxprocperuid',
  'write-setting kern.chroot_allow_open_directories',
  'write-setting jail.defaults.allow_raw_sockets',
  'make-immutable /tmp',
];
const ROOT_ALONE = onDragonfly ? ROOT_ALONE_ON_DRAGONFLY : ROOT_ALONE_ON_LINUX;

describe('the kernel that all jails share', () => {
  const jails = useJails();
  let jail: Jail;

  before(function () {
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    // All that can be given: what is refused then is refused always.
    const capabilities = {
      setHostname: true,
      rawSockets: true,
      unixIpRouteOnly: false,
      sysvIpc: true,
    };
    jail = await jails.create({ capabilities });
  });

  for (const what of EVERYBODY) {
    it(`does not take this from a jail: ${what}`, async function () {
      assertRefused(await inside(jail, what));
      needControl(this, await outside(jails, what), what);
    });
  }

  for (const what of ROOT_ALONE) {
    it(`does not take this from a jail: ${what}`, async function () {
      assertRefused(await inside(jail, ...what.split(' ')));
      if (isRoot) needControl(this, await outside(jails, ...what.split(' ')), what);
    });
  }

  for (const [name, flag] of Object.entries(onDragonfly ? {} : NAMESPACES)) {
    it(`gives a jail no new ${name} namespace`, async () => {
      // A user namespace first: then everybody can have the others.
      const flags = String(flag | NAMESPACES.user);
      if (name !== 'time') {
        assertWorks(await outside(jails, 'clone', flags));
        assertRefused(await inside(jail, 'clone', flags));
        assertRefused(await inside(jail, 'clone', String(flag)));
      }
      assertWorks(await outside(jails, 'unshare', flags));
      assertRefused(await inside(jail, 'unshare', flags));
      assertRefused(await inside(jail, 'unshare', String(flag)));
    });
  }

  it('is not stopped by a jail', async function () {
    if (!onDragonfly) skip(this, 'reboot(2) is refused by the filter: see calls.test.ts');
    assertRefused(await inside(jail, 'reboot')); // there is no harmless control
  });

  it('lets a jail into no other jail', async function () {
    if (!onDragonfly) skip(this, 'this is about jail_attach(2)');
    const other = await jails.create();
    assertRefused(await inside(jail, 'enter-jail', `${other.jid}`));
  });

  it('gives a jail no namespace by clone3 either, whose arguments no filter sees', async function () {
    skipOnDragonfly(this, 'there are no namespaces');
    assertWorks(await outside(jails, 'clone3', USER_NAMESPACE));
    assertRefused(await inside(jail, 'clone3', USER_NAMESPACE), /^ENOSYS$/);
  });

  it('lets a jail into no other namespace', async function () {
    skipOnDragonfly(this, 'there are no namespaces');
    assertWorks(await inNamespaces(jails, 'setns', '/proc/self/ns/net'));
    for (const name of ['mnt', 'net', 'pid', 'user', 'uts', 'ipc', 'cgroup']) {
      assertRefused(await inside(jail, 'setns', `/proc/self/ns/${name}`));
    }
  });

  it('has a name that a jail changes for itself alone, and only with the capability', async () => {
    const { stdout: before } = await jail.exec('uname', ['-n']);
    assertWorks(await inside(jail, 'sethostname', 'renamed'));
    assert.notEqual((await jail.exec('uname', ['-n'])).stdout, before);
    if (probe().features.denySetHostname?.available === false) return; // 5.4 to 5.9
    const without = await jails.create({ capabilities: { setHostname: false } });
    assertRefused(await inside(without, 'sethostname', 'renamed'));
    assert.equal((await without.exec('uname', ['-n'])).stdout, before);
  });
});

describe('the terminal of the caller', () => {
  const jails = useJails();

  before(function () {
    skipOnDragonfly(
      this,
      'whoever has a terminal may type into it: docs/security.md says not to share one',
    );
    compileAttacks(this, jails);
  });

  for (const way of ['type', 'type-with-high-bits', 'paste', 'discipline']) {
    it(`cannot be typed into, nor spoilt, from a jail: ${way}`, async function () {
      const jail = await jails.create();
      const run = (program: string) => inTerminal(jail, program, [way, 'x']);
      assert.match(await run(ATTACK), /^result 1\r?$/m);
      // A terminal without a jail around the program that types: script(1) of util-linux makes one.
      const control = await onHostTerminal([attackOutside(jails), way, 'x']);
      if (!/result 0\r?$/m.test(control)) needControl(this, failed(control), `to ${way}`);
    });
  }
});

async function inTerminal(jail: Jail, file: string, args: string[]): Promise<string> {
  const command = jail.spawn(file, args, { pty: true });
  let output = '';
  command.stdout?.on('data', (data) => {
    output += data;
  });
  await once(command, 'close');
  return output;
}

function onHostTerminal(argv: string[]): Promise<string> {
  return new Promise((resolve) => {
    const args = ['-q', '-e', '-c', argv.join(' '), '/dev/null'];
    const child = execFile('script', args, { timeout: 10_000 }, (_, stdout) => resolve(stdout));
    child.stdin?.end();
  });
}

function failed(output: string) {
  return { result: /result (\d+)/.exec(output)?.[1] ?? 'no result', output };
}
