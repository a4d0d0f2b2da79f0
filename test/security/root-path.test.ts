import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Jail, type JailSystemError, listJails } from 'dragonfly-jail';
import { useJails } from '../support/jails.js';

// The registry is text, one `key value` a line. A path is the only value in it that can come from a file system.
describe('the root directory of a jail', () => {
  const jails = useJails();
  const forged = '\nname forged\nhostname forged.example.org';

  for (const [title, name] of Object.entries({
    'a line feed': `x${forged}`,
    'a carriage return': 'x\rjid 1',
    'an escape sequence': 'x\x1b[2J',
  })) {
    it(`is refused where a link leads to a name with ${title}`, async () => {
      const directory = join(jails.root.outside, name);
      const link = join(jails.root.outside, `link to ${title}`);
      mkdirSync(directory);
      symlinkSync(directory, link);
      const made = Jail.create(jails.spec({ path: link, mounts: [] })).then((jail) =>
        jails.keep(jail),
      );
      await assert.rejects(made, isRefusal);
      assert.deepEqual(
        listJails().filter(({ hostname }) => hostname.startsWith('forged')),
        [],
      );
    });
  }

  it('may be given as a link to a directory with an ordinary name', async () => {
    const link = join(jails.root.outside, 'link');
    symlinkSync(jails.root.path, link);
    const jail = await jails.create({ path: link });
    assert.equal(jail.info().path, jails.root.path);
  });
});

function isRefusal(error: JailSystemError): true {
  assert.equal(error.code, 'EINVAL');
  assert.equal(error.step, 'root');
  return true;
}
