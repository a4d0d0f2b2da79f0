// npm run demo: the package's main job, from the making of a jail until nothing is left of it.
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Jail, type JailedProcess, listJails, type MountSpec, probe } from 'dragonfly-jail';
import { createWithFreeAddresses } from './demo/addresses.js';
import { node, programs } from './demo/inside.js';
import { check, checkEqual, detail, done, fail, heading, table } from './demo/report.js';
import { Traces } from './demo/traces.js';
import { startVictim, Workspace } from './demo/workspace.js';
import { fetchPage, network, refusals } from './shared/system.js';

const HOSTNAME = 'demo.jail.test';
const PORT = 80;
const isRoot = process.getuid?.() === 0;

function introduce(): void {
  const { backend, release } = probe();
  const who = isRoot ? 'root' : `an ordinary user (uid ${process.getuid?.()})`;
  const kernel = backend === 'linux' ? 'Linux' : 'DragonFly BSD';
  console.log(`dragonfly-jail on ${kernel} ${release}, as ${who}`);
}

async function makeJail(workspace: Workspace, mounts: readonly MountSpec[]): Promise<Jail> {
  heading('Making a jail');
  const shared = mounts.filter(({ type }) => type === 'nullfs').map(({ target }) => target);
  done(`prepared a root that shows the host's ${shared.join(', ')}, read-only`);
  const start = performance.now();
  const jail = await createWithFreeAddresses((addresses) =>
    Jail.create({
      path: workspace.root,
      hostname: HOSTNAME,
      name: `demo_${process.pid}`,
      addresses,
      ...network,
      mounts,
    }),
  );
  done(`created jail ${jail.jid} in ${since(start)}`);
  return jail;
}

function showListing(jail: Jail): void {
  heading('What listJails() says');
  const listed = listJails().find(({ jid }) => jid === jail.jid);
  if (listed === undefined) throw fail(`listJails() does not have jail ${jail.jid}`);
  const { name, hostname, state, owned, addresses } = listed;
  checkEqual('its hostname is', hostname, HOSTNAME);
  check(`it is called ${name}, is ${state}, and is ours`, owned, 'it is somebody else’s');
  const families = addresses.map(({ family }) => family).sort();
  const both = families.join() === 'IPv4,IPv4,IPv6,IPv6';
  check('it has two addresses of each family', both, `it has ${families.join(', ')}`);
  for (const { address, family } of addresses) detail(`${family}  ${address}`);
}

async function startServer(jail: Jail): Promise<JailedProcess> {
  heading('A web server in the jail');
  const addresses = jail.info().addresses.map(({ address }) => address);
  const args = [programs.server, `${PORT}`, ...addresses];
  const server = jail.spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ready = once(server.stdout as Readable, 'data');
  const ended = server.exited.then(() => {
    throw fail('the web server ended before it was ready');
  });
  await Promise.race([ready, ended]);
  done(`runs as process ${server.jailPid} of the jail, which is ${server.pid} on the host`);
  return server;
}

async function fetchEverywhere(jail: Jail): Promise<void> {
  const from = isRoot ? 'the host' : 'another command in the jail';
  for (const { address, family } of jail.info().addresses) {
    const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${PORT}/`;
    const page = isRoot ? await fetchPage(url) : await fetchInside(jail, url);
    checkEqual(`${url} tells ${from}:`, page, `Hello from ${HOSTNAME} at ${address}`);
  }
}

async function fetchInside(jail: Jail, url: string): Promise<string> {
  const { stdout, stderr, exitCode } = await jail.exec(node, [programs.fetch, url]);
  if (exitCode !== 0) throw fail(`${url} could not be fetched inside the jail: ${stderr}`);
  return String(stdout);
}

function showProcesses(jail: Jail, server: JailedProcess): void {
  heading('The processes of the jail');
  const processes = jail.processes();
  const found = processes.some(({ pid }) => pid === server.pid);
  check('the web server is among them', found, `pid ${server.pid} is not`);
  for (const { pid, jailPid, uid, args } of processes) {
    detail(`${jailPid} (host: ${pid})  uid ${uid}  ${args.slice(0, 3).join(' ')} …`);
  }
}

async function runCommand(jail: Jail): Promise<void> {
  heading('A command with input and output');
  const input = 'made in a jail\n';
  const { stdout, exitCode } = await jail.exec('tr', ['a-z', 'A-Z'], { input });
  checkEqual(`tr a-z A-Z is given "${input.trim()}" and writes:`, stdout, input.toUpperCase());
  check('it ends with exit code 0', exitCode === 0, `its exit code is ${exitCode}`);
  const name = await jail.exec('uname', ['-n']);
  checkEqual('uname -n writes:', name.stdout, HOSTNAME);
}

async function tryForbidden(jail: Jail, workspace: Workspace): Promise<void> {
  heading('What the root of the jail may not do');
  const foreign = workspace.foreignAddress();
  const bind = `bind ${foreign}, which is not the jail's`;
  await refused(jail, bind, refusals.bind, 'bind', foreign);
  await using victim = await startVictim();
  const pid = `${victim.pid}`;
  await refused(jail, `kill process ${pid} of the host`, refusals.kill, 'kill', pid);
  check('that process still runs', victim.alive(), 'it was killed');
  const secret = workspace.writeSecret();
  await refused(jail, `read ${secret} of the host`, 'ENOENT', 'read', secret);
  await refused(jail, 'read /etc/shadow of the host', 'ENOENT', 'read', '/etc/shadow');
}

async function refused(jail: Jail, what: string, code: string, ...args: string[]): Promise<void> {
  const { stdout } = await jail.exec(node, [programs.attempt, ...args], { timeout: 10_000 });
  const outcome = String(stdout).trim();
  check(`it cannot ${what}: ${code}`, outcome === code, `the outcome was ${outcome || 'nothing'}`);
}

async function stopJail(jail: Jail, server: JailedProcess): Promise<void> {
  heading('Stopping the jail');
  const start = performance.now();
  await jail.stop();
  done(`gone after ${since(start)}`);
  const { exitCode, signal } = await server.exited;
  done(`the web server ended by ${signal ?? `exit code ${exitCode}`}`);
  const listed = listJails().some(({ jid }) => jid === jail.jid);
  check('listJails() does not have it any more', !listed, 'it is still listed');
}

async function proveNothingIsLeft(traces: Traces): Promise<void> {
  heading('What is left');
  await traces.settle();
  table(['', 'before', 'with the jail', 'after'], traces.rows());
  for (const { what, before, meanwhile, after } of traces.counts()) {
    if (meanwhile === before && (isRoot || what !== 'interfaces')) {
      throw fail(`the ${what} of the jail were not seen: the count proves nothing`);
    }
    check(`${what}: as before`, after === before, `${after} instead of ${before}`);
  }
}

async function tell(workspace: Workspace): Promise<void> {
  const mounts = await workspace.prepareRoot();
  const traces = new Traces(workspace.folder);
  const jail = await makeJail(workspace, mounts);
  try {
    showListing(jail);
    const server = await startServer(jail);
    await fetchEverywhere(jail);
    showProcesses(jail, server);
    await runCommand(jail);
    await tryForbidden(jail, workspace);
    traces.meanwhile(jail.jid);
    await stopJail(jail, server);
  } finally {
    await jail.stop();
  }
  await proveNothingIsLeft(traces);
}

function since(start: number): string {
  return `${Math.round(performance.now() - start)} ms`;
}

function explain(error: unknown): void {
  const { code, hint, message } = error as { code?: string; hint?: string; message: string };
  console.error(`\n✗ The demo failed: ${message}`);
  if (hint !== undefined) console.error(`  hint: ${hint}`);
  if (code === undefined) return;
  for (const [name, { available, reason }] of Object.entries(probe().features)) {
    if (!available) console.error(`  not available here: ${name}: ${reason}`);
  }
}

try {
  introduce();
  using workspace = new Workspace();
  await tell(workspace);
  console.log('\nEverything was as promised.');
} catch (error) {
  explain(error);
  process.exitCode = 1;
}
