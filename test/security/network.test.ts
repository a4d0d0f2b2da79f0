import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Jail } from 'dragonfly-jail';
import { nextIPv4, nextIPv6, nextPort } from '../support/addresses.js';
import {
  ATTACK,
  assertRefused,
  assertWorks,
  attackOutside,
  compileAttacks,
  inNamespaces,
  inside,
  outside,
} from '../support/attack.js';
import { isRoot, needRoot, onDragonfly, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';
import type { Forged, Order } from './forgeries.js';

// Family, type, protocol of socket(2).
const SOCKETS: Record<string, string[]> = {
  'raw IPv4': ['2', '3', '1'],
  'raw IPv6': [onDragonfly ? '28' : '10', '3', '58'],
  'raw bytes': ['2', '3', '255'],
  ...(onDragonfly ? {} : { packet: ['17', '3', '768'] }),
};
const FORGERIES = new URL('./forgeries.js', import.meta.url).href;
const BUILT =
  process.env.DRAGONFLY_JAIL_NATIVE ?? fileURLToPath(new URL('../../Release', import.meta.url));
const UNREACHABLE = /^(ECONNREFUSED|ENETUNREACH|EADDRNOTAVAIL|EHOSTUNREACH|EINVAL|ENOENT)$/;

describe('the network of others', () => {
  const jails = useJails();

  before(function () {
    compileAttacks(this, jails);
  });

  for (const [name, args] of Object.entries(SOCKETS)) {
    it(`is not listened to nor forged by ${name} sockets, unless that is allowed`, async () => {
      assertWorks(await inNamespaces(jails, 'socket', ...args));
      const plain = await jails.create({ addresses: [nextIPv4()] });
      assertRefused(await inside(plain, 'socket', ...args));
      const wide = await jails.create({ capabilities: { unixIpRouteOnly: false } });
      assertRefused(await inside(wide, 'socket', ...args));
      const allowed = { rawSockets: true, unixIpRouteOnly: false };
      const raw = await jails.create({ capabilities: allowed });
      assertWorks(await inside(raw, 'socket', ...args));
    });
  }

  it('has addresses that a jail cannot bind: the host’s, other jails’, nobody’s', async () => {
    const [mine, theirs] = [nextIPv4(), nextIPv6()];
    const raw = { rawSockets: true, unixIpRouteOnly: false };
    const jail = await jails.create({ addresses: [mine], capabilities: raw });
    await jails.create({ addresses: [theirs] });
    for (const address of [
      theirs,
      '192.0.2.1',
      '2001:db8::1',
      isRoot ? '169.254.1.1' : '0.0.0.1',
    ]) {
      // No option of DragonFly's lets the host bind what it has not.
      if (!onDragonfly || address === theirs)
        assertWorks(await outside(jails, 'bind-foreign', address, `${nextPort()}`));
      const tried = await inside(jail, 'bind-foreign', address, `${nextPort()}`);
      assertRefused(tried, UNREACHABLE);
    }
    assertWorks(await inside(jail, 'bind-foreign', mine, `${nextPort()}`));
  });

  it('is not made larger by a jail: no address, route, interface of its own choice', async () => {
    const raw = { rawSockets: true, unixIpRouteOnly: false };
    for (const capabilities of [{}, raw]) {
      const more = onDragonfly ? [] : ['127.0.0.1'];
      const jail = await jails.create({ addresses: [nextIPv4(), ...more], capabilities });
      for (const [way, ...args] of [
        ['take-address', '192.0.2.7'],
        ['take-route', '192.0.2.7'],
        ['make-link'],
        ['bring-link-up'],
      ]) {
        assertWorks(await inNamespaces(jails, `${way}`, ...args));
        assertRefused(await inside(jail, `${way}`, ...args));
      }
    }
  });

  it('has no router inside a jail: what one announces there gives no address', async function () {
    skipOnDragonfly(this, 'a jail has the network of the host');
    needRoot(this); // an ordinary user's jail has lo alone, which takes no announcements
    const raw = { rawSockets: true, unixIpRouteOnly: false };
    const jail = await jails.create({ addresses: [nextIPv6()], capabilities: raw });
    assertRefused(await inside(jail, 'announce', 'jail0', '2001:db8:77::'), /^EPERM$/);
    // The control: the same link, listening to announcements as a new one does.
    const command = jail.spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(command, 'spawn');
    const listen = 'echo 1 > /proc/sys/net/ipv6/conf/jail0/accept_ra';
    execFileSync('nsenter', ['--target', `${command.pid}`, '--net', 'sh', '-c', listen]);
    assertWorks(await inside(jail, 'announce', 'jail0', '2001:db8:78::'));
  });

  describe('is not spoken to in another’s name', () => {
    const raw = { rawSockets: true, unixIpRouteOnly: false };
    const every = ['frame', 'raw', 'ring', 'vlan']
      .flatMap((way) => ['ICMP', 'TCP', 'UDP'].map((protocol) => `${way} ${protocol}`))
      .sort();

    it('by raw and packet sockets: no source but the jail’s own leaves it, whatever the host’s settings are', async function () {
      skipOnDragonfly(this, 'what may write packets there writes them on the host’s interfaces');
      needRoot(this); // an ordinary user's jail has lo alone
      const own = [nextIPv4(), nextIPv4(), nextIPv6(), nextIPv6()];
      const foreign = ['192.0.2.7', '2001:db8::7', 'fe80::77'];
      const spec = jails.spec({ addresses: own, capabilities: raw });
      const attack = { inside: ATTACK, outside: attackOutside(jails) };
      const { loose, withoutFilter, later, redirects } = await inANetworkOfItsOwn({
        spec,
        attack,
        sources: [...own, ...foreign],
      });
      const heard = (sources: string[]) =>
        Object.fromEntries(sources.map((source) => [source, every]));
      assert.deepEqual(loose, { 0: heard(own), 2: heard(own) });
      assert.deepEqual(later, heard(own));
      // The control: what leaves the jail is in order, but for its source.
      assert.deepEqual(withoutFilter, heard([...own, ...foreign]));
      const on = Object.entries(redirects).filter(([, value]) => value !== '0');
      assert.deepEqual(on, []);
    });

    it('where the kernel has no filter: a jail with addresses and rawSockets is refused', async function () {
      skipOnDragonfly(this, 'no jail has a link there');
      needRoot(this);
      const say = `
        const codes = [];
        const note = ({ code, step }) => codes.push(code + ' ' + step);
        const { capabilities } = spec;
        await Jail.create(spec).then((jail) => jail.stop(), note);
        await Jail.create({ ...spec, addresses: [] }).then((jail) => jail.stop(), note);
        const jail = await Jail.create({ ...spec, capabilities: {} });
        const change = (to) => { try { jail.setCapabilities(to); } catch (error) { note(error); } };
        change(capabilities);
        change({ setHostname: false });
        const { stdout } = await jail.exec(ATTACK, ['socket', '2', '3', '1']);
        codes.push(stdout.split('\\n').at(-2));
        await jail.stop();
        codes.push(dfjail.probe().features.sourceFilter.available);
        say(codes);`.replace('ATTACK', JSON.stringify(ATTACK));
      const spec = jails.spec({ addresses: [nextIPv4(), nextIPv6()], capabilities: raw });
      const created = 'ERR_JAIL_UNSUPPORTED link';
      for (const [folder, expected] of [
        [withoutIngress(), [created, 'ERR_JAIL_UNSUPPORTED undefined', 'result 1', false]],
        [undefined, ['result 0', true]],
      ] as const) {
        const env = folder === undefined ? {} : { DRAGONFLY_JAIL_NATIVE: folder };
        await using program = new Program(say, spec, { env });
        assert.deepEqual(await program.next(), expected);
      }
    });

    // A monitor that asks the kernel for what it does not have, as it does where a module is missing.
    function withoutIngress(): string {
      const folder = join(jails.root.outside, 'without-ingress');
      cpSync(BUILT, folder, { recursive: true, filter: (path) => !/\/(obj|\.deps)/.test(path) });
      for (const name of ['jail-monitor', 'jail.node']) {
        const file = readFileSync(join(folder, name));
        const at = file.indexOf('\0ingress\0');
        assert(at > 0 && at === file.lastIndexOf('\0ingress\0'), 'the name is there once');
        file.write('nowhere', at + 1);
        writeFileSync(join(folder, name), file);
      }
      return folder;
    }
  });

  it('is not counted up by who is called: the kernel has one neighbour for all destinations', async function () {
    skipOnDragonfly(this, 'a jail has the network of the host');
    needRoot(this); // an ordinary user's jail has lo alone
    const count = 300;
    const addresses = [nextIPv4(), nextIPv6(), 'fe80::55'];
    const jail = await jails.create({ addresses });
    // The kernel's own: reports of groups when a link comes up.
    const few = (await neighboursOf(jail)) + 4;
    for (const prefix of ['10.88', '224.7', 'fd99:', 'ff02::7', 'ff05::7']) {
      assertWorks(await inside(jail, 'contact', prefix, `${count}`));
      assert((await neighboursOf(jail)) <= few, prefix);
    }
    // The control: on a link itself each destination is one.
    assertWorks(await inside(jail, 'contact-on-link', '10.88', `${count}`));
    assert((await neighboursOf(jail)) > count);
  });

  describe('is not reached where it is private', () => {
    for (const address of ['127.0.0.1', '::1']) {
      it(`in another jail: ${address}, and its abstract socket`, async function () {
        skipOnDragonfly(
          this,
          'there it stands for the jail’s own address: behaviour/network.test.ts',
        );
        const [serving, jail] = [await loopbackJail(address), await loopbackJail(address)];
        const port = `${nextPort()}`;
        await serve(serving, address, port, '@dfjail-of-another');
        assertWorks(await inside(serving, 'connect', address, port));
        assertWorks(await inside(serving, 'connect-unix', '@dfjail-of-another'));
        assertRefused(await inside(jail, 'connect', address, port), UNREACHABLE);
        assertRefused(await inside(jail, 'connect-unix', '@dfjail-of-another'), UNREACHABLE);
        assertRefused(await outside(jails, 'connect', address, port), UNREACHABLE);
      });
    }

    it('on the host: its loopback, its abstract sockets, and those in its folders', async () => {
      // On DragonFly 127.0.0.1 stands for the jail’s own address, unless it is that.
      const jail = await loopbackJail(onDragonfly ? nextIPv4() : '127.0.0.1');
      const path = join(jails.root.outside, 'socket');
      for (const name of onDragonfly ? [path] : ['@dfjail-of-the-host', path]) {
        const port = `${nextPort()}`;
        const args = ['serve', '127.0.0.1', port, name];
        const server = spawn(attackOutside(jails), args, { stdio: ['pipe', 'pipe', 'inherit'] });
        try {
          await serving(server.stdout);
          assertWorks(await outside(jails, 'connect', '127.0.0.1', port));
          assertWorks(await outside(jails, 'connect-unix', name));
          assertRefused(await inside(jail, 'connect', '127.0.0.1', port), UNREACHABLE);
          assertRefused(await inside(jail, 'connect-unix', name), UNREACHABLE);
        } finally {
          server.kill('SIGKILL');
        }
      }
    });
  });

  function loopbackJail(address: string): Promise<Jail> {
    return jails.create({ addresses: [address] });
  }
});

async function neighboursOf(jail: Jail): Promise<number> {
  const { output } = await inside(jail, 'neighbours');
  return Number(/^neighbours (\d+)$/m.exec(output)?.[1]);
}

async function inANetworkOfItsOwn(order: Order): Promise<Forged> {
  const source = `
    import { forgeAll } from ${JSON.stringify(FORGERIES)};
    say(await forgeAll(${JSON.stringify(order)}));`;
  const by = ['unshare', '--net', process.execPath];
  await using program = new Program(source, order.spec, { by });
  return await program.next<Forged>();
}

async function serve(jail: Jail, address: string, port: string, name: string): Promise<void> {
  const stdio = ['pipe', 'pipe', 'inherit'] as const;
  const command = jail.spawn(ATTACK, ['serve', address, port, name], { stdio });
  await serving(command.stdout);
}

async function serving(output: Readable | null): Promise<void> {
  assert(output !== null);
  const [line] = await once(createInterface({ input: output }), 'line');
  assert.equal(line, 'serving');
}
