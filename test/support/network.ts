import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Jail, JailedProcess } from 'dragonfly-jail';
import { nodePath, onModel, within } from './environment.js';
import { modelCall, modelListen } from './model/network.js';
import { modelKernel } from './model/world.js';

// Servers and clients in jails and on the host: Node's on this machine, calls of the kernel on a model of one.

/** What a server tells: at which of its addresses it was called, and from where. */
export interface Answer {
  readonly at: string;
  readonly from: string;
}

/** A server of the host. */
export interface HostServer {
  readonly port: number;
  /** Where the first call comes from. */
  readonly caller: Promise<string>;
  close(): void;
}

const serve = (addresses: readonly string[], port: number) => `
  const net = require('node:net');
  let left = ${addresses.length};
  for (const host of ${JSON.stringify(addresses)}) {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.end(JSON.stringify({ at: socket.localAddress, from: socket.remoteAddress }));
    });
    server.on('error', (error) => { console.log(error.code); process.exit(1); });
    server.listen(${port}, host, () => { if (--left === 0) console.log('ready'); });
  }`;

// What a program in the jail gets when it calls an address: the first bytes, or the error's code.
const call = (host: string, port: number) => `
  const socket = require('node:net').connect({ host: '${host}', port: ${port} });
  socket.setTimeout(3000, () => socket.destroy(Object.assign(new Error(), { code: 'TIMEOUT' })));
  socket.on('data', (data) => { process.stdout.write(data); socket.destroy(); });
  socket.on('error', (error) => process.stdout.write(error.code));`;

const INTERFACES = `console.log(JSON.stringify(Object.values(require('node:os').networkInterfaces())
  .flat().map((entry) => entry.address)))`;

/** Starts a server in a jail. */
export async function startServer(
  jail: Jail,
  addresses: readonly string[],
  port: number,
): Promise<JailedProcess> {
  const command = onModel
    ? ['serve', `${port}`, ...addresses]
    : [nodePath, '-e', serve(addresses, port)];
  const [file = '', ...args] = command;
  const server = jail.spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await within('the server', 10_000, once(server.stdout as Readable, 'data'));
  assert.equal(String(line), 'ready\n');
  return server;
}

/** Calls a server from the host. @throws the error, with its code */
export async function callFromHost(host: string, port: number): Promise<Answer> {
  const kernel = modelKernel();
  if (kernel !== null) return JSON.parse(modelCall(kernel, kernel.host, host, port));
  return JSON.parse(await within(`a call of ${host}`, 5000, text(connect({ host, port }))));
}

/** Calls a server from a jail: what it says, or the error's code. */
export async function callInJail(jail: Jail, host: string, port: number): Promise<string> {
  const command = onModel ? ['call', host, `${port}`] : [nodePath, '-e', call(host, port)];
  const [file = '', ...args] = command;
  const { stdout } = await jail.exec(file, args, { timeout: 10_000 });
  return String(stdout);
}

/** What the host names an address that a jail named: its end of their link has another name. */
export function asHostNames(jail: Jail, address: string): string {
  return address.replace('%jail0', `%dfj${jail.jid}`);
}

/** A server of the host, which says that it is one. */
export async function listenOnHost(host: string): Promise<HostServer> {
  const kernel = modelKernel();
  if (kernel !== null) return modelListen(kernel, host);
  const server = createServer();
  const caller = new Promise<string>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.end('the host');
      resolve(socket.remoteAddress ?? '');
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, caller, close: () => void server.close() };
}

/** The addresses that a program in a jail sees, but those of loopback and links. */
export async function addressesInside(jail: Jail): Promise<string[]> {
  const [file = '', ...args] = onModel ? ['addresses'] : [nodePath, '-e', INTERFACES];
  const { stdout } = await jail.exec(file, args);
  const all: string[] = JSON.parse(String(stdout));
  return all.filter((address) => !/^(127\.0\.0\.1|::1|fe80.*)$/.test(address));
}
