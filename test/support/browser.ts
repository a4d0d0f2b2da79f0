import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';

/** Is Debian's chromium installed here? */
export const hasBrowser = existsSync(PROGRAM);

// It is to talk to the page under test and to nobody else.
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real browser with a profile of its own, which is new. */
export class Browser implements AsyncDisposable {
  readonly #profile: string;
  readonly #context: BrowserContext;

  private constructor(profile: string, context: BrowserContext) {
    this.#profile = profile;
    this.#context = context;
  }

  /** @param bypassCSP the page's own security policy does not hold, so that what it would hide is seen */
  static async start({ bypassCSP = false } = {}): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'dfjail-test-browser-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: PROGRAM,
      args: ARGS,
      bypassCSP,
      viewport: { width: 1200, height: 900 },
    });
    return new Browser(profile, context);
  }

  page(): Promise<Page> {
    return this.#context.newPage();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
