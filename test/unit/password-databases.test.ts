import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { completeAccounts } from '#internal/rootfs/accounts/complete.js';
import { hashFile } from '#internal/rootfs/accounts/hash-file.js';
import { MAX_LINE, parseMasterPasswd } from '#internal/rootfs/accounts/master-passwd.js';
import { passwordDatabases } from '#internal/rootfs/accounts/password-databases.js';
import { etcFiles } from '#internal/rootfs/etc-files.js';
import { Folder } from '#internal/rootfs/folder.js';
import { HashFile } from '../support/hash-file.js';
import { recordedDatabases } from '../support/recorded-databases.js';

/** A record of getpwent(3): numbers as the format of its key has them. */
function decode(data: Buffer, bigEndian: boolean): (string | number)[] {
  let at = 0;
  const text = () => {
    const end = data.indexOf(0, at);
    const value = data.toString('latin1', at, end);
    at = end + 1;
    return value;
  };
  const number = () => {
    const value = bigEndian ? data.readUInt32BE(at) : data.readUInt32LE(at);
    at += 4;
    return value;
  };
  const steps = [text, text, number, number, number, text, text, text, text, number, number];
  const record = steps.map((step) => step());
  assert.equal(at, data.length);
  return record;
}

function numberKey(tag: number, value: number): Buffer {
  const key = Buffer.alloc(5);
  key[0] = tag;
  if (tag >= 0x40) key.writeUInt32BE(value, 1);
  else key.writeUInt32LE(value, 1);
  return key;
}

function nameKey(tag: number, name: string): Buffer {
  return Buffer.concat([Buffer.of(tag), Buffer.from(name, 'latin1')]);
}

const read = (text: string) => parseMasterPasswd(Buffer.from(text, 'latin1')).accounts;

describe('the password databases of DragonFly', () => {
  const FORMATS = [
    { byName: 0x41, byNumber: 0x42, byUid: 0x43, bigEndian: true },
    { byName: 0x31, byNumber: 0x32, byUid: 0x33, bigEndian: false },
  ];

  /** Is every account found under its name, number and uid, in both formats, and nothing else there? */
  function checkDatabase(bytes: Buffer, lines: readonly string[], hidden: boolean): void {
    const file = new HashFile(bytes);
    assert.deepEqual(file.get(nameKey(0xff, 'VERSION')), Buffer.of(4));
    const names = new Set<string>();
    const uids = new Set<string>();
    for (const [index, line] of lines.entries()) {
      const [name = '', password, uid = '', gid, loginClass, change, expire, ...rest] =
        line.split(':');
      const expected = [
        ...[name, hidden ? '*' : password, Number(uid), Number(gid), Number(change), loginClass],
        ...[...rest, Number(expire)],
      ];
      for (const { byName, byNumber, byUid, bigEndian } of FORMATS) {
        const get = (key: Buffer) => {
          const data = file.get(key);
          assert(data !== null, line);
          return decode(data, bigEndian).slice(0, -1);
        };
        assert.deepEqual(get(numberKey(byNumber, index + 1)), expected);
        if (!names.has(name)) assert.deepEqual(get(nameKey(byName, name)), expected);
        if (!uids.has(uid)) assert.deepEqual(get(numberKey(byUid, Number(uid))), expected);
      }
      names.add(name);
      uids.add(uid);
    }
    const keys = 1 + 2 * (lines.length + names.size + uids.size);
    assert.equal(file.entries().length, keys);
  }

  function check(lines: readonly string[]): void {
    const { accounts, badLine } = parseMasterPasswd(Buffer.from(lines.join('\n'), 'latin1'));
    assert.equal(badLine, null);
    const { pwd, spwd } = passwordDatabases(accounts);
    checkDatabase(pwd, lines, true);
    checkDatabase(spwd, lines, false);
  }

  // What a field may hold: bytes, but for what ends it.
  const field = (maxLength: number) =>
    fc
      .array(fc.integer({ min: 1, max: 255 }), { maxLength })
      .map((bytes) => Buffer.from(bytes).toString('latin1').replace(/[:\n]/g, '.'));
  const id = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 0xfffffffe }));
  const time = fc.integer({ min: 0, max: 0xffffffff });
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/).filter((one) => one !== 'root');
  const account = (longest: number) =>
    fc
      .tuple(name, field(40), id, id, field(8), time, time, field(longest), field(40), field(40))
      .map((fields) => fields.join(':'));

  it('find every account by name, by number and by uid', () => {
    fc.assert(
      fc.property(fc.array(account(80), { maxLength: 120 }), (lines) => check(lines)),
      { numRuns: 60 },
    );
  });

  it('find them when their lines are as long as they may be, and pages run over', () => {
    fc.assert(
      fc.property(fc.array(account(1700), { minLength: 20, maxLength: 90 }), (lines) =>
        check(lines),
      ),
      { numRuns: 15 },
    );
    const filler = 'c'.repeat(MAX_LINE - 'u99:*:9999:9999::0:0::/:/bin/sh'.length);
    check(
      Array.from({ length: 99 }, (_, n) => `u${n}:*:${1000 + n}:9999::0:0:${filler}:/:/bin/sh`),
    );
  });

  it('find them when there are thousands', () => {
    check(Array.from({ length: 6000 }, (_, n) => `user${n}:*:${n + 1}:${n % 9}::0:0:U ${n}:/:/sh`));
  });

  it('are found to be of the first one, where two have a name or a uid', () => {
    const { pwd } = passwordDatabases(
      read('root:*:0:0::0:0::/root:/bin/sh\ntoor:*:0:0::0:0::/:\nroot:*:0:5::0:0::/:\n'),
    );
    const file = new HashFile(pwd);
    const get = (key: Buffer) => decode(file.get(key) ?? Buffer.alloc(0), true);
    assert.equal(get(numberKey(0x43, 0))[0], 'root');
    assert.equal(get(nameKey(0x41, 'root'))[3], 0);
    assert.equal(get(numberKey(0x42, 2))[0], 'toor');
  });

  it('are, byte for byte, what pwd_mkdb made on a real DragonFly', () => {
    for (const { master, pwd, spwd } of recordedDatabases()) {
      const made = passwordDatabases(parseMasterPasswd(master).accounts);
      assert(made.pwd.equals(pwd));
      assert(made.spwd.equals(spwd));
      assert.equal(new HashFile(spwd).entries().length, new HashFile(made.spwd).header.keys);
    }
  });

  it('say which fields of an account are filled', () => {
    const { spwd } = passwordDatabases(read('a::1:2:c:3:4:g:/h:/s\nb:*:1:2::::::\n'));
    const file = new HashFile(spwd);
    const filled = (user: string) =>
      decode(file.get(nameKey(0x41, user)) ?? Buffer.alloc(0), true).at(-1);
    assert.equal(filled('a'), 0x3ff & ~2);
    assert.equal(filled('b'), 0b1111);
  });

  it('are made of what pwd_mkdb would take', () => {
    const good = 'a:*:1:2:staff:0:0:A:/:/bin/sh';
    for (const bad of [
      'a:*:1:2:staff:0:0:A:/',
      `${good}:`,
      'a:*::2::0:0::/:',
      'a:*:1:x::0:0::/:',
      'a:*:-1:2::0:0::/:',
      'a:*:4294967295:2::0:0::/:',
      'root:*:7:2::0:0::/:',
      ':*:1:2::0:0::/:',
      '+:::::::::',
      '-x:*:1:2::0:0::/:',
      `a:*:1:2::0:0:${'x'.repeat(MAX_LINE)}:/:`,
      'a:*:1:2::soon:0::/:',
      'a:*:1:2::0:0:\0:/:',
    ]) {
      const text = `# accounts\n\n \t# and more\n${good}\n${bad}\n`;
      const { accounts, badLine } = parseMasterPasswd(Buffer.from(text));
      assert.deepEqual([accounts.length, badLine], [1, 5], bad);
    }
  });
});

describe('a hash file', () => {
  it('is not made of pairs that no page holds', () => {
    const pair = (length: number) => ({ key: Buffer.alloc(1), data: Buffer.alloc(length) });
    assert.doesNotThrow(() => hashFile([pair(4096 - 6 - 8 - 1)]));
    assert.throws(() => hashFile([pair(4096 - 6 - 8)]), RangeError);
  });

  it('is a header, eight buckets and a map when it is empty', () => {
    const file = new HashFile(hashFile([]));
    assert.deepEqual([file.header.maxBucket, file.header.keys, file.entries()], [7, 0, []]);
  });
});

describe('the accounts of a thin root on DragonFly', () => {
  let root: string;

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'dfjail-unit-')));
    mkdirSync(join(root, 'etc'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const inEtc = (name: string) => join(root, 'etc', name);
  const bytes = (name: string) => readFileSync(inEtc(name));
  const names = (database: string) =>
    new HashFile(bytes(database))
      .entries()
      .filter(({ key }) => key[0] === 0x41)
      .map(({ key }) => key.toString('latin1', 1))
      .sort();

  async function complete(): Promise<void> {
    const etc = await Folder.open(join(root, 'etc'));
    try {
      await completeAccounts(etc, root);
    } finally {
      await etc.close();
    }
  }

  it('are those of its passwd, in files for root and for everybody', async () => {
    writeFileSync(inEtc('passwd'), etcFiles(false).get('passwd') ?? '');
    await complete();
    assert.match(String(bytes('master.passwd')), /^root:\*:0:0::0:0:root:\/root:\/bin\/sh$/m);
    for (const database of ['pwd.db', 'spwd.db']) {
      assert.deepEqual(names(database), ['daemon', 'nobody', 'root']);
    }
    const modeOf = (name: string) => (lstatSync(inEtc(name)).mode & 0o7777).toString(8);
    const modes = ['master.passwd', 'spwd.db', 'pwd.db'].map(modeOf);
    assert.deepEqual(modes, ['600', '600', '644']);
  });

  it('stay as they are when they are in step', async () => {
    writeFileSync(inEtc('passwd'), 'www:secret:80:80::/:/bin/sh\nbroken\nbad:*:x:0::/:\n');
    await complete();
    assert.equal(String(bytes('master.passwd')), 'www:*:80:80::0:0::/:/bin/sh\n');
    writeFileSync(inEtc('pwd.db'), 'mine');
    await complete();
    assert.equal(String(bytes('pwd.db')), 'mine');
    assert.deepEqual(names('spwd.db'), ['www']);
  });

  it('are more when passwd has more, with what master.passwd says of the others', async () => {
    const master = '# of the jail\nwww:$6$hash:80:80:small:0:0:Größe:/:/bin/csh';
    writeFileSync(inEtc('master.passwd'), master);
    writeFileSync(inEtc('passwd'), 'www:*:80:80::/:/bin/sh\n');
    await complete();
    assert.deepEqual([String(bytes('master.passwd')), names('pwd.db')], [master, ['www']]);
    writeFileSync(inEtc('passwd'), 'www:*:80:80::/:/bin/sh\ndb:*:81:81::/:/bin/sh\n');
    await complete();
    assert.equal(String(bytes('master.passwd')), `${master}\ndb:*:81:81::0:0::/:/bin/sh\n`);
    assert.deepEqual(names('pwd.db'), ['db', 'www']);
    assert(bytes('spwd.db').includes('$6$hash') && !bytes('pwd.db').includes('$6$hash'));
    assert.equal(lstatSync(inEtc('master.passwd')).mode & 0o777, 0o600);
  });

  it('are none of files that are none, have no end, or that pwd_mkdb would refuse', async () => {
    writeFileSync(inEtc('passwd'), '#'.repeat(1 << 17));
    await complete();
    assert.throws(() => bytes('master.passwd'), { code: 'ENOENT' });
    writeFileSync(inEtc('passwd'), 'www:*:80:80::/:/bin/sh\n');
    writeFileSync(inEtc('master.passwd'), 'nonsense\n');
    await complete();
    assert.throws(() => bytes('pwd.db'), { code: 'ENOENT' });
    writeFileSync(inEtc('master.passwd'), '#'.repeat(1 << 17));
    await complete();
    assert.equal(bytes('master.passwd').length, 1 << 17);
    rmSync(inEtc('master.passwd'));
    mkdirSync(inEtc('pwd.db'));
    await complete();
    assert.throws(() => bytes('master.passwd'), { code: 'ENOENT' });
  });
});
