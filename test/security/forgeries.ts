import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Jail, type JailSpec } from 'dragonfly-jail';
import { sleep } from '../support/environment.js';

// Runs in a program of its own, in a network of its own, whose settings it changes as hosts have them.

const CONF = '/proc/sys/net/ipv4/conf';
const CONF6 = '/proc/sys/net/ipv6/conf';
/** Both ends of a link are told what the other sends at these. */
const HOST = { 4: '169.254.1.1', 6: 'fe80::1' };
/** Any packet is at its place within that. */
const QUIET = 150;

/** What the program is told. */
export interface Order {
  readonly spec: JailSpec;
  /** The attacks, as the jail and as the host see them. */
  readonly attack: { readonly inside: string; readonly outside: string };
  readonly sources: readonly string[];
}

/** By source: the ways and protocols of the packets that arrived, `raw ICMP`, … in alphabetical order. */
export type Heard = Record<string, string[]>;

/** What it says in the end. */
export interface Forged {
  /** By the setting of the link, beside that of all interfaces: 2. */
  readonly loose: Record<string, Heard>;
  readonly withoutFilter: Heard;
  /** Of a jail that was given the capability later. */
  readonly later: Heard;
  readonly redirects: Record<string, string>;
}

/** Sends packets of several sources from a jail, where the host checks sources as little as it can. */
export async function forgeAll(order: Order): Promise<Forged> {
  const { spec, attack } = order;
  const attempt = (...args: string[]) => execFileSync(attack.outside, args, { encoding: 'utf8' });
  // What is checked loosely has to be routed anywhere.
  attempt('take-route', '192.0.2.7');
  writeFileSync(`${CONF}/all/rp_filter`, '2');
  writeFileSync(`${CONF}/all/accept_redirects`, '1');
  const jail = await Jail.create(spec);
  const link = readdirSync(CONF).find((name) => name.startsWith('dfj')) ?? 'no link';
  const loose: Record<string, Heard> = {};
  for (const setting of ['0', '2']) {
    writeFileSync(`${CONF}/${link}/rp_filter`, setting);
    loose[setting] = await forge(jail, order);
  }
  const redirects = await redirectsOf(jail, link);
  attempt('remove-filter', link);
  const withoutFilter = await forge(jail, order);
  await jail.stop();
  const changed = await Jail.create({ ...spec, capabilities: {} });
  changed.setCapabilities(spec.capabilities ?? {});
  const later = await forge(changed, order);
  await changed.stop();
  return { loose, withoutFilter, later, redirects };
}

async function forge(jail: Jail, { attack, sources }: Order): Promise<Heard> {
  const listener = spawn(attack.outside, ['hear'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [hearing] = await once(listener.stdout, 'data');
  const all = text(listener.stdout);
  for (const source of sources) {
    const args = ['forge', 'jail0', source, HOST[source.includes(':') ? 6 : 4]];
    const { stdout } = await jail.exec(attack.inside, args);
    if (!/^result 0$/m.test(String(stdout))) throw new Error(`${args}: ${stdout}`);
  }
  await sleep(QUIET);
  listener.stdin.end();
  const heard: Heard = {};
  for (const [, what = '', source = ''] of `${hearing}${await all}`.matchAll(
    /^heard (\S+ \S+) (\S+)$/gm,
  )) {
    heard[source] = [...(heard[source] ?? []), what].sort();
  }
  return heard;
}

// Of both ends, whether or not a jail's own /proc shows them.
async function redirectsOf(jail: Jail, link: string): Promise<Record<string, string>> {
  const paths = (one: string) => [`${CONF6}/${one}/accept_redirects`, `${CONF6}/${one}/accept_ra`];
  const inside = [
    `${CONF}/all/accept_redirects`,
    `${CONF}/jail0/accept_redirects`,
    ...paths('jail0'),
  ];
  const found: Record<string, string> = {};
  for (const path of [`${CONF}/${link}/accept_redirects`, ...paths(link)]) {
    found[`outside ${path.replace(link, 'link')}`] = readFileSync(path, 'utf8').trim();
  }
  for (const path of inside) {
    const { stdout } = await jail.exec('cat', [path]);
    found[`inside ${path}`] = String(stdout).trim();
  }
  return found;
}
