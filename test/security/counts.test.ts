import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Jail } from 'dragonfly-jail';
import { ATTACK, assertWorks, compileAttacks, inside, outside } from '../support/attack.js';
import { needRoot, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';

// What the kernel counts for each user. The jail's are users of their own, and so is the one that its namespace belongs to,
// for whom all of it is counted together: docs/security.md.
const COUNTED = [
  'inotify-instances',
  'inotify-watches',
  'queued-signals',
  'message-queues',
  'locked-memory',
];
const MOST = `${1 << 20}`;

describe('what the kernel counts for each user', () => {
  const jails = useJails();

  before(function () {
    skipOnDragonfly(this, 'limits are by user there, and the ids of all jails are the host’s');
    needRoot(this);
    compileAttacks(this, jails);
  });

  for (const what of COUNTED) {
    it(`is used up by one jail for itself alone: ${what}`, async function () {
      this.timeout(60_000);
      const capabilities = { sysvIpc: true };
      const [jail, other] = [
        await jails.create({ capabilities }),
        await jails.create({ capabilities }),
      ];
      const holder = jail.spawn(ATTACK, ['use-up', what, MOST], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      assert(holder.stdout !== null);
      const [text] = await once(holder.stdout, 'data');
      console.log(`      ${String(text).trim()}`);
      // It is used up indeed, for others in there as well.
      assert.notEqual((await one(jail, what)).result, 'ok');
      assertWorks(await outside(jails, 'use-up', what, '1'));
      assertWorks(await one(other, what));
      holder.kill('SIGKILL');
      await holder.exited;
    });
  }

  function one(jail: Jail, what: string) {
    return inside(jail, 'use-up', what, '1');
  }
});
