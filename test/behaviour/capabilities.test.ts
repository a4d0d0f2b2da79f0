import assert from 'node:assert/strict';
import {
  type Capabilities,
  defaultCapabilities,
  type Jail,
  probe,
  setDefaultCapabilities,
} from 'dragonfly-jail';
import { nextIPv4 } from '../support/addresses.js';
import { onDragonfly, skipOnModel } from '../support/environment.js';
import { attempt, compileHostile } from '../support/hostile.js';
import { useJails } from '../support/jails.js';

const AF_INET = '2';
const AF_INET6 = onDragonfly ? '28' : '10';
const SOCK_RAW = '3';
const ICMP = '1';

const DEFAULTS: Capabilities = {
  setHostname: true,
  sysvIpc: false,
  rawSockets: false,
  unixIpRouteOnly: true,
  listenOverride: false,
  chflags: false,
  mountNullfs: false,
  mountTmpfs: false,
  mountDevfs: false,
  mountProcfs: false,
  mountFusefs: false,
};

describe('the capabilities of a jail', () => {
  const jails = useJails();

  before(function () {
    compileHostile(this, jails.root);
  });

  // A jail that is refused it hangs the sysctls of DragonFly 5.4 to 5.9.
  function canDenyHostname(): boolean {
    return probe().features.denySetHostname?.available !== false;
  }

  async function withCapabilities(capabilities: Partial<Capabilities>): Promise<Jail> {
    return jails.create({ capabilities, addresses: [nextIPv4()] });
  }

  it('are the documented ones unless something else is said', async () => {
    assert.deepEqual(defaultCapabilities(), DEFAULTS);
    assert.deepEqual((await withCapabilities({})).capabilities(), DEFAULTS);
    const change = { rawSockets: true, ...(canDenyHostname() ? { setHostname: false } : {}) };
    const jail = await withCapabilities(change);
    assert.deepEqual(jail.capabilities(), { ...DEFAULTS, ...change });
  });

  it('can have other defaults, for jails that are made from then on', async () => {
    const earlier = await withCapabilities({});
    setDefaultCapabilities({ sysvIpc: true });
    try {
      assert.equal(defaultCapabilities().sysvIpc, true);
      assert.equal((await withCapabilities({})).capabilities().sysvIpc, true);
      assert.equal(earlier.capabilities().sysvIpc, false);
    } finally {
      setDefaultCapabilities({ sysvIpc: false });
    }
  });

  it('allow raw sockets or refuse them', async () => {
    const raw = ['socket', AF_INET, SOCK_RAW, ICMP];
    assert.equal(await attempt(await withCapabilities({ rawSockets: true }), ...raw), 'ok');
    assert.match(await attempt(await withCapabilities({}), ...raw), /^(EPERM|EACCES)$/);
  });

  it('allow the hostname to be set, in the jail only, or refuse it', async () => {
    const free = await withCapabilities({});
    assert.equal(await attempt(free, 'sethostname', 'renamed.test'), 'ok');
    assert.equal(free.info().hostname, 'renamed.test');
    assert.equal((await free.exec('uname', ['-n'])).stdout, 'renamed.test\n');
    const without = { setHostname: false };
    if (!canDenyHostname()) {
      await assert.rejects(withCapabilities(without), { code: 'ERR_JAIL_UNSUPPORTED' });
      return;
    }
    const bound = await withCapabilities(without);
    assert.match(await attempt(bound, 'sethostname', 'renamed.test'), /^(EPERM|EACCES)$/);
    assert.equal(bound.info().hostname, 'jail.test');
  });

  it('show a forged hostname as what it is: data', async () => {
    const jail = await withCapabilities({});
    const forged = 'x\n99 evil / 10.0.0.1';
    assert.equal(await attempt(jail, 'sethostname', forged), 'ok');
    // DragonFly's list cannot tell where such a name ends: it is not believed.
    assert.equal(jail.info().hostname, onDragonfly ? 'jail.test' : forged);
    assert.equal(jail.info().path, jails.root.path);
  });

  it('allow System V memory or refuse it', async function () {
    skipOnModel(this, 'System V memory is not modelled');
    assert.equal(await attempt(await withCapabilities({ sysvIpc: true }), 'shm'), 'ok');
    assert.match(await attempt(await withCapabilities({}), 'shm'), /^(ENOSYS|EPERM|EACCES)$/);
  });

  it('keep sockets of other families away', async () => {
    const jail = await withCapabilities({});
    // ALG and VSOCK
    for (const family of ['38', '40']) {
      assert.notEqual(await attempt(jail, 'socket', family, '1', '0'), 'ok', family);
    }
    for (const family of ['1', AF_INET, AF_INET6]) {
      assert.equal(await attempt(jail, 'socket', family, '1', '0'), 'ok', family);
    }
  });

  it('can be changed for the commands that come later', async () => {
    const jail = await withCapabilities({});
    const raw = ['socket', AF_INET, SOCK_RAW, ICMP];
    jail.setCapabilities({ rawSockets: true });
    assert.equal(jail.capabilities().rawSockets, true);
    assert.equal(await attempt(jail, ...raw), 'ok');
    jail.setCapabilities({ rawSockets: false });
    assert.match(await attempt(jail, ...raw), /^(EPERM|EACCES)$/);
    assert.deepEqual(jail.capabilities(), DEFAULTS);
  });

  it('that this kernel does not have are refused, the others staying as they were', async () => {
    const jail = await withCapabilities({});
    for (const name of ['mountNullfs', 'mountTmpfs', 'mountDevfs', 'chflags'] as const) {
      await refusedOrKept(jail, { [name]: true });
    }
  });

  // Another backend may have them all: then they must be kept.
  async function refusedOrKept(jail: Jail, change: Partial<Capabilities>): Promise<void> {
    const before = jail.capabilities();
    try {
      jail.setCapabilities({ ...change, rawSockets: true });
    } catch (error) {
      assert.equal((error as { code: string }).code, 'ERR_JAIL_UNSUPPORTED');
      assert.deepEqual(jail.capabilities(), before);
      await assert.rejects(withCapabilities(change), { code: 'ERR_JAIL_UNSUPPORTED' });
      return;
    }
    assert.deepEqual(jail.capabilities(), { ...before, ...change, rawSockets: true });
  }
});
