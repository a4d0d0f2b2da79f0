import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { Jail } from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { isRoot, needRoot, needRootless, nodePath } from '../support/environment.js';
import { Example, leaveNothing, runExample } from '../support/example.js';

// Not by fetch(), which a Node without WebAssembly has not.
const FETCH = `
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
for (const url of process.argv.slice(1)) {
  process.stdout.write(await new Promise((done) => get(url, (response) => done(text(response)))));
}`;

function fourAddresses(): string[] {
  return [nextIPv4(), nextIPv4(), nextIPv6(), nextIPv6()];
}

function urlOf(address: string): string {
  return `http://${address.includes(':') ? `[${address}]` : address}/`;
}

async function fetchFromHost(urls: readonly string[]): Promise<string> {
  const answers = urls.map(async (url) => once(get(url), 'response'));
  const pages = await Promise.all(answers.map(async (answer) => text((await answer)[0])));
  return pages.join('');
}

// By a program that has nothing to do with the one that made the jail.
async function fetchInJail(urls: readonly string[]): Promise<string> {
  const jail = await Jail.open('web_server');
  try {
    const args = ['--input-type=module', '-e', FETCH, ...urls];
    return (await jail.exec(nodePath, args, { timeout: 10_000 })).stdout;
  } finally {
    await jail[Symbol.asyncDispose]();
  }
}

describe('the web server', () => {
  leaveNothing();

  it('answers on two IPv4 and two IPv6 addresses until it is asked to end', async () => {
    const addresses = fourAddresses();
    await using server = new Example('web-server', addresses);
    await server.line(/jail \d+ serves/);
    const urls = addresses.map(urlOf);
    const pages = await (isRoot ? fetchFromHost(urls) : fetchInJail(urls));
    const wanted = addresses.map((address) => `Hello from web.jail.test at ${address}\n`);
    assert.equal(pages, wanted.join(''));
    const { code, stderr } = await server.end();
    assert.equal(code, 0, stderr);
  });

  it('shows that the host reaches each address', async function () {
    needRoot(this);
    const addresses = fourAddresses();
    await using server = new Example('web-server', addresses);
    await server.line(/jail \d+ serves/);
    const { stdout } = await server.end();
    for (const address of addresses)
      assert(stdout.includes(`tells the host: Hello from web.jail.test at ${address}\n`), stdout);
  });

  it('shows that the jail reaches each address, where the host cannot', async function () {
    needRootless(this);
    const addresses = fourAddresses();
    await using server = new Example('web-server', addresses);
    await server.line(/jail \d+ serves/);
    const { stdout } = await server.end();
    for (const address of addresses)
      assert(stdout.includes(`tells the jail: Hello from web.jail.test at ${address}\n`), stdout);
  });

  it('says what is wrong with an address', async () => {
    const { code, stderr } = await runExample('web-server', ['10.0.0.300']);
    assert.equal(code, 1);
    assert.match(stderr, /Expected an IPv4 or IPv6 address.*10\.0\.0\.300/);
  });
});
