import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Jail } from 'dragonfly-jail';
import type { Page } from 'playwright-core';
import { Browser, hasBrowser } from '../support/browser.js';
import { eventually, nodePath, skip } from '../support/environment.js';
import { Example } from '../support/example.js';
import { useJails } from '../support/jails.js';

const LIVE = 5000; // ms until the page shows it
const HOSTNAME = '<img/src=x/onerror=pwned=1>.test';
const TITLE = '<script>pwned=2</script><b>title</b>\u202e';
const ARGUMENT = '"><img src=x onerror=pwned=3><iframe srcdoc="<p>">';

interface Shown {
  readonly jails: readonly {
    readonly jid: number;
    readonly hostname: string;
    readonly processes: readonly { readonly pid: number; readonly args: readonly string[] }[];
  }[];
}

/** A process that calls itself something, as any program can. */
async function startTitled(jail: Jail, title: string): Promise<void> {
  const program =
    'process.title = process.argv[1]; console.log("ready"); setInterval(() => {}, 1000);';
  const args = ['-e', program, title, ' '.repeat(100)];
  const child = jail.spawn(nodePath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  assert(child.stdout);
  await once(child.stdout, 'data');
}

async function get(url: string, options: object = {}): Promise<IncomingMessage> {
  const [response] = await once(request(url, options).end(), 'response');
  return response;
}

describe('the jail view', function () {
  this.timeout(60_000);
  const jails = useJails();
  let view: Example;
  let url: string;

  beforeEach(async () => {
    view = new Example('jail-view', [], { PORT: '0' });
    [url = ''] = await view.line(/http:\S+\//);
  });

  afterEach(async () => {
    const { code, stderr } = await view.end();
    assert.deepEqual([code, stderr], [0, '']);
  });

  async function shown(jail: Jail) {
    const { jails } = (await (await fetch(`${url}jails.json`)).json()) as Shown;
    return jails.find(({ jid }) => jid === jail.jid);
  }

  it('lists jails and their processes as JSON', async () => {
    const jail = await jails.create({ hostname: HOSTNAME });
    const child = jail.spawn('sleep', ['1000'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const listed = await shown(jail);
    assert.equal(listed?.hostname, HOSTNAME);
    const process = listed.processes.find(({ pid }) => pid === child.pid);
    assert.deepEqual(process?.args, ['sleep', '1000']);
  });

  it('tells of what comes and goes by server-sent events', async () => {
    const events = await get(`${url}events`);
    let told = '';
    events.setEncoding('utf8').on('data', (chunk) => {
      told += chunk;
    });
    const jail = await jails.create({ hostname: 'told.test' });
    await eventuallyTold(() => told.includes('"hostname":"told.test"'));
    await jail.stop({ graceMs: 0 });
    await eventuallyTold(() => !(told.trim().split('\n\n').at(-1) ?? '').includes('told.test'));
    for (const event of told.trim().split('\n\n').slice(1))
      JSON.parse(event.slice('data: '.length));
    events.destroy();
  });

  it('answers nobody who came by another name, and changes nothing', async () => {
    const foreign = await get(`${url}jails.json`, { headers: { host: 'evil.example' } });
    assert.equal(foreign.statusCode, 403);
    assert(!(await text(foreign)).includes('jails'));
    assert.equal((await get(url, { method: 'POST' })).statusCode, 405);
    assert.equal((await get(`${url}../../package.json`)).statusCode, 404);
  });

  describe('in a browser', () => {
    before(function () {
      if (!hasBrowser) skip(this, 'chromium is not installed');
    });

    async function open(browser: Browser): Promise<{ page: Page; complaints: string[] }> {
      const page = await browser.page();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', ({ message }) => complaints.push(message));
      await page.goto(url);
      await page.getByText('live', { exact: true }).waitFor({ timeout: LIVE });
      return { page, complaints };
    }

    it('shows jails and processes as they come and go', async () => {
      await using browser = await Browser.start();
      const { page, complaints } = await open(browser);
      const jail = await jails.create({ hostname: 'live.test', name: 'live_jail' });
      const card = page.locator('article', { hasText: 'live_jail' });
      await card.waitFor({ timeout: LIVE });
      assert.match(await card.innerText(), /live\.test/);

      const child = jail.spawn('sleep', ['987'], { stdio: 'ignore' });
      await card.getByText('sleep 987').waitFor({ timeout: LIVE });
      child.kill('SIGKILL');
      await card.getByText('sleep 987').waitFor({ state: 'detached', timeout: LIVE });

      await jail.stop({ graceMs: 0 });
      await card.waitFor({ state: 'detached', timeout: LIVE });
      assert.deepEqual(complaints, []);
    });

    it('shows what a jail calls itself as text, even without the page’s security policy', async () => {
      await using browser = await Browser.start({ bypassCSP: true });
      const { page, complaints } = await open(browser);
      const jail = await jails.create({ hostname: HOSTNAME });
      await startTitled(jail, TITLE);
      await startTitled(jail, ARGUMENT);
      const card = page.locator('article', { hasText: `jail ${jail.jid}` });
      for (const said of [HOSTNAME, TITLE.replace('\u202e', '\\u{202e}'), ARGUMENT]) {
        await card.getByText(said).first().waitFor({ timeout: LIVE });
      }
      const foreign = 'document.querySelectorAll("img, b, iframe, body script").length';
      assert.equal(await page.evaluate(foreign), 0);
      assert.equal(await page.evaluate('typeof pwned'), 'undefined');
      assert.deepEqual(complaints, []);
      const picture = process.env.DFJAIL_TEST_PICTURE;
      if (picture !== undefined) await page.screenshot({ path: picture, fullPage: true });
    });

    it('says so when the program has ended, and goes on when it is back', async () => {
      await using browser = await Browser.start();
      const { page } = await open(browser);
      await view.end();
      await page.getByText('not connected').waitFor({ timeout: LIVE });
      view = new Example('jail-view', [], { PORT: new URL(url).port });
      await view.line(/http:/);
      await page.getByText('live', { exact: true }).waitFor({ timeout: 2 * LIVE });
    });
  });
});

async function eventuallyTold(check: () => boolean): Promise<void> {
  await eventually(() => assert(check(), 'it was not told'), LIVE);
}
