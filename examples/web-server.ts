// A web server in a jail with two IPv4 and two IPv6 addresses, each of which answers.
//
//   npm run example web-server                        until Ctrl-C
//   npm run example web-server -- 10.1.2.3 fd00::3    with other addresses
//
// As root every address can be called from the host: curl http://10.213.7.1/. As an ordinary user of Linux the addresses
// are there for the jail's own programs: dfjail exec web_server sh.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Jail, type JailedProcess } from 'dragonfly-jail';
import { asked, node, Scratch } from './shared/scratch.js';
import { fetchPage, network, reachable } from './shared/system.js';

const ADDRESSES = ['10.213.7.1', '10.213.7.2', 'fd0d:f1:7::1', 'fd0d:f1:7::2'];
const PORT = 80;

// What runs in the jail, as a file of its own. It listens on each address by itself, not on "all of them".
const SERVER = `
import { createServer } from 'node:http';
import { hostname } from 'node:os';
const [port, ...addresses] = process.argv.slice(2);
const listen = (address) => new Promise((listening, failed) => {
  createServer((request, response) => {
    response.end(\`Hello from \${hostname()} at \${address}\\n\`);
  }).on('error', failed).listen(port, address, listening);
});
await Promise.all(addresses.map(listen));
console.log('ready');
`;

// One line for each URL.
const FETCH = `
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
const signal = AbortSignal.timeout(10_000);
for (const url of process.argv.slice(1)) {
  const page = new Promise((resolve, reject) => {
    get(url, { signal }, (response) => resolve(text(response))).on('error', reject);
  });
  process.stdout.write(await page);
}
`;

async function startServer(jail: Jail): Promise<JailedProcess> {
  const addresses = jail.info().addresses.map(({ address }) => address);
  const args = ['/home/server.mjs', `${PORT}`, ...addresses];
  const server = jail.spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // Its first line says that it listens; should it end before, there is nothing to wait for.
  const ended = server.exited.then(({ exitCode, signal }) => {
    throw new Error(`the server ended by ${signal ?? `exit code ${exitCode}`}`);
  });
  await Promise.race([once(server.stdout as Readable, 'data'), ended]);
  return server;
}

async function fetchInJail(jail: Jail, urls: readonly string[]): Promise<string[]> {
  const args = ['--input-type=module', '-e', FETCH, ...urls];
  const { stdout, stderr, exitCode } = await jail.exec(node, args);
  if (exitCode !== 0) throw new Error(`the addresses do not answer: ${stderr}`);
  return stdout.split('\n');
}

async function tryAll(jail: Jail): Promise<void> {
  const { addresses } = jail.info();
  const urls = addresses.map(({ address, family }) =>
    family === 'IPv6' ? `http://[${address}]:${PORT}/` : `http://${address}:${PORT}/`,
  );
  const pages = await (reachable ? Promise.all(urls.map(fetchPage)) : fetchInJail(jail, urls));
  for (const [i, url] of urls.entries()) {
    console.log(`${url} tells ${reachable ? 'the host' : 'the jail'}: ${pages[i]?.trim()}`);
  }
}

const end = asked(); // from now on
using scratch = new Scratch();
const root = await scratch.root('web');
writeFileSync(join(root.path, 'home', 'server.mjs'), SERVER, { mode: 0o644 });

const given = process.argv.slice(2);
await using jail = await Jail.create({
  ...root,
  hostname: 'web.jail.test',
  name: 'web_server',
  addresses: given.length > 0 ? given : ADDRESSES,
  ...network,
});
const server = await startServer(jail);
await tryAll(jail);
console.log(`jail ${jail.jid} serves; Ctrl-C ends it`);

await Promise.race([end, server.exited]);
// Leaving this block stops the jail, with its server, and removes the root.
