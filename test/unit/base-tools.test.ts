import assert from 'node:assert/strict';
import fc from 'fast-check';
import { jailListText } from '#internal/backends/dragonfly/jail-list.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { ModelKernel, useModelKernel } from '#internal/backends/model/index.js';
import { errorText } from '#internal/cli/base/error-text.js';
import { ToolFailure } from '#internal/cli/base/failure.js';
import { readOptions } from '#internal/cli/base/getopt.js';
import { readIpList } from '#internal/cli/base/ip-list.js';
import { jailTool } from '#internal/cli/base/jail.js';
import { readJailCall } from '#internal/cli/base/jail-call.js';
import { jexecTool } from '#internal/cli/base/jexec.js';
import { readJid } from '#internal/cli/base/jid.js';
import { jlsTool } from '#internal/cli/base/jls.js';
import { formatListing } from '#internal/cli/base/listing.js';
import { command as jailCommand } from '#internal/cli/commands/jail.js';
import { command as jexecCommand } from '#internal/cli/commands/jexec.js';
import { Jail, listJails, probe } from '#internal/index.js';
import { addBaseSystem, modelHost } from '../support/base-system.js';
import { eventually } from '../support/environment.js';
import { jlsByHand } from '../support/jls-by-hand.js';
import { jailBy } from '../support/recordings.js';
import { TestIo } from '../support/tool-io.js';

const LETTERS = 'ilu:U:';

describe('options as getopt(3) reads them', () => {
  const given = (...argv: string[]) => readOptions(argv, LETTERS);
  const letters = (...argv: string[]) =>
    given(...argv)
      .options.map(({ letter, value }) => letter + value)
      .join(' ');

  it('letters stand together or apart, arguments joined or apart', () => {
    assert.equal(letters('-i', '-l', '-u', 'www', '/'), 'i l uwww');
    assert.equal(letters('-iluwww', '/'), 'i l uwww');
    assert.equal(letters('-ilu', 'www', '/'), 'i l uwww');
    assert.equal(letters('-u', '-i', '/'), 'u-i');
    assert.equal(letters('-u', '', '/'), 'u');
  });

  it('they end at the first operand and at --', () => {
    assert.deepEqual(given('-i', '/', '-l').operands, ['/', '-l']);
    assert.deepEqual(given('-i', '--', '-l').operands, ['-l']);
    assert.deepEqual(given('-', '-i').operands, ['-', '-i']);
    assert.deepEqual(given('', '-i').operands, ['', '-i']);
    assert.deepEqual(given().operands, []);
  });

  it('what is wrong is told in the same words, once', () => {
    assert.equal(given('-x', '-y').complaint, 'illegal option -- x');
    assert.equal(given('-i:').complaint, 'illegal option -- :');
    assert.equal(given('--help').complaint, 'illegal option -- -');
    assert.equal(given('-iu').complaint, 'option requires an argument -- u');
    assert.equal(given('-i').complaint, null);
  });
});

describe('the examples in the help', () => {
  it('are ones that the tools understand', () => {
    const words = (text: string) => text.split(' ').slice(2);
    for (const { command } of jailCommand.examples) readJailCall(words(command));
    for (const { command } of jexecCommand.examples) readJid(words(command)[0] ?? '');
    assert.ok(jailCommand.examples.length > 0 && jexecCommand.examples.length > 0);
  });
});

describe('jids as jexec(8) reads them', () => {
  const complaint = (text: string) => {
    try {
      return readJid(text);
    } catch (error) {
      assert.ok(error instanceof ToolFailure);
      return error.message;
    }
  };

  it('numbers as strtol(3) has them', () => {
    for (const [text, jid] of Object.entries({ 7: 7, '+7': 7, '-7': -7, '007': 7, '\t\n 7': 7 })) {
      assert.equal(complaint(text), jid);
    }
    assert.equal(complaint('2147483647'), 2147483647);
    assert.equal(complaint('-2147483648'), -2147483648);
  });

  it('everything else is refused in the same words', () => {
    for (const text of ['', ' ', '7 ', '7x', '0x7', '--7', '+', 'www', '٣']) {
      assert.equal(complaint(text), `jexec: cannot parse jail id: ${text}.`);
    }
    for (const text of ['2147483648', '-2147483649', '99999999999999999999x']) {
      assert.equal(complaint(text), `jexec: invalid jail id: ${text}: Result too large`);
    }
  });
});

describe('lists of addresses as jail(8) reads them', () => {
  it('are separated by commas, however many', () => {
    assert.deepEqual(readIpList('10.0.0.1,fd00::1'), ['10.0.0.1', 'fd00::1']);
    assert.deepEqual(readIpList(',,10.0.0.1,'), ['10.0.0.1']);
    for (const none of ['', ',']) assert.deepEqual(readIpList(none), []);
  });

  it('the first that is none is named on stdout', () => {
    for (const bad of [
      '0',
      '10.0.0',
      '10.0.0.256',
      '10.0.0.01',
      'fe80::1%1',
      ':',
      'a b',
      ' 10.0.0.1',
    ]) {
      assert.throws(
        () => readIpList(`::1,${bad},nor this`),
        (error) => {
          assert.ok(error instanceof ToolFailure);
          assert.deepEqual([error.message, error.stream], [`Invalid value ${bad}`, 'stdout']);
          return true;
        },
      );
    }
  });
});

describe('the words of errors', () => {
  it('are there for every error that calls of jails can fail with', () => {
    const frequent = ['EPERM', 'ENOENT', 'EINVAL', 'ERANGE', 'EFAULT', 'ENOTDIR', 'ELOOP'];
    for (const code of frequent) assert.notEqual(errorText(code), code);
    assert.equal(errorText('constructor'), 'constructor');
    // Those that have a number up to 34 there are all of old.
    for (const [code, number] of Object.entries(layout59.errno)) {
      if (number <= 34) assert.notEqual(errorText(code), code);
    }
  });
});

// Bytes that a hostname can have: anything but NUL, and those that mean something to jls or to a terminal above all.
const hostileByte = fc.oneof(
  fc.constantFrom(...Buffer.from(' \n\t\r\x1b[/:.0123456789\x07\x9b\x7f')),
  fc.integer({ min: 1, max: 255 }),
);
const hostileName = fc
  .uint8Array({ minLength: 0, maxLength: 255 })
  .chain((some) => fc.array(hostileByte, { minLength: 0, maxLength: Math.max(1, some.length) }));

describe('the table of jls', () => {
  const format = (text: string | Buffer, terminal = false) =>
    Buffer.from(formatListing(Buffer.from(text), terminal));

  it('is nothing at all without jails', () => assert.equal(format('').length, 0));

  it('takes rows apart as strtok(3) does', () => {
    const header = 'JID\tHostname\tPath\t\tIPs\n';
    const row = (text: string) => format(text).toString('latin1').slice(header.length);
    assert.equal(
      row('5 h / 10.0.0.1 10.0.0.2'),
      '5       h               /               10.0.0.1 10.0.0.2\n',
    );
    assert.equal(row('5 h /'), '5       h               /               (none)\n');
    assert.equal(row('5  / 10.0.0.1'), '5       /               10.0.0.1        (none)\n');
    assert.equal(
      row('5 a\nb /'),
      '5       a               (null)          (none)\nb       /               (null)          (none)\n',
    );
    assert.equal(row('5 h / '), '5       h               /               (none)\n');
    assert.equal(
      row('5 \n\n'),
      `5       (null)          (null)          (none)\n${'(null)  (null)          (null)          (none)\n'.repeat(2)}`,
    );
    const long = 'x'.repeat(255);
    assert.equal(row(`123456789 ${long} /${long}`), `123456789${long} /${long} (none)\n`);
  });

  it('is what jls(8) prints of any hostname, byte for byte, where stdout is no terminal', () => {
    fc.assert(
      fc.property(fc.array(hostileName, { minLength: 1, maxLength: 4 }), (names) => {
        const rows = names.map((name, at) =>
          Buffer.concat([
            Buffer.from(`${9 - at} `),
            Buffer.from(name),
            Buffer.from(' /j 10.0.0.1'),
          ]),
        );
        const list = Buffer.concat(
          rows.flatMap((row, at) => (at ? [Buffer.from('\n'), row] : [row])),
        );
        assert.equal(format(list).toString('latin1'), jlsByHand(list));
      }),
    );
  });

  it('holds nothing that a terminal would act on where stdout is one', () => {
    fc.assert(
      fc.property(hostileName, (name) => {
        const list = Buffer.concat([Buffer.from('5 '), Buffer.from(name), Buffer.from(' /j')]);
        const shown = format(list, true)
          .toString('utf8')
          .slice('JID\tHostname\tPath\t\tIPs\n'.length);
        assert.doesNotMatch(shown.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
        assert.equal(shown.split('\n').length, list.toString('latin1').split('\n').length + 1);
      }),
    );
    const plain = Buffer.from('12 www.example.org /jails/www 10.0.0.1\n11 h / fd00::0001');
    assert.deepEqual(format(plain, true), format(plain, false));
    assert.match(format('5 a\x1b[2Jb /', true).toString(), /^5 {7}a\\x1b\[2Jb {7}\/ /m);
  });

  it('a system without jail.list gets the rows that DragonFly would have', () => {
    const address = (text: string) => ({ address: text, family: 'IPv6' }) as const;
    const jails = [
      { jid: 3, hostname: 'a', path: '/a', addresses: [address('fd00::1'), address('::1')] },
      { jid: 12, hostname: 'b', path: '/b c', addresses: [] },
    ];
    assert.equal(
      Buffer.from(jailListText(jails)).toString(),
      '12 b /b c\n3 a /a fd00::0001 ::0001',
    );
    assert.equal(jailListText([]).length, 0);
  });
});

describe('jail, jls and jexec on a model', () => {
  let kernel: ModelKernel;
  let restore: () => void;

  beforeEach(() => {
    kernel = new ModelKernel();
    kernel.directory('/j/srv');
    kernel.file('/file');
    addBaseSystem(kernel);
    kernel.programs.add('/bin/env', ({ argv, env, cwd, stdout, process: { uid, entry } }) => {
      const { groups } = entry.credential;
      stdout.write(JSON.stringify({ argv, env, cwd, uid, groups }));
    });
    kernel.programs.add('/bin/cat', ({ stdin, stdout }) => {
      stdin.pipe(stdout);
      return new Promise((resolve) => stdin.once('end', resolve));
    });
    kernel.programs.add('/bin/daemon', ({ spawn, stdout }) => {
      spawn('/bin/sleep', ['0.15']);
      stdout.write('started\n');
      return 4;
    });
    restore = useModelKernel(kernel);
  });
  afterEach(() => restore());

  async function jail(argv: readonly string[], io = new TestIo()) {
    const status = await jailTool(argv, io, modelHost(kernel));
    return { status, out: io.out, errors: io.errors };
  }

  async function jexec(argv: readonly string[], io = new TestIo()) {
    const status = await jexecTool(argv, io);
    return { status, out: io.out, errors: io.errors };
  }

  const environment = async (...argv: string[]) => {
    const io = new TestIo({ env: { PATH: '/p:/bin', TERM: 'vt100', SECRET: 's' } });
    const { out, errors } = await jail([...argv, '/j', 'h', '', '/bin/env'], io);
    assert.equal(errors, '');
    return JSON.parse(out);
  };

  it('the jail is gone when the command has ended', async () => {
    const { status, out } = await jail(['-i', '/j', 'h', '10.0.0.1', '/bin/sh', '-c', 'exit 7']);
    assert.deepEqual([status, out], [7, '1\n']);
    assert.deepEqual(kernel.jails, []);
  });

  it('the jail stays while the command has left something behind, and ends with it', async () => {
    const { status, out } = await jail(['/j', 'h', '', '/bin/daemon']);
    assert.deepEqual([status, out], [4, 'started\n']);
    assert.equal(listJails().length, 1);
    await eventually(() => assert.deepEqual(kernel.jails, []));
  });

  it('stdin reaches the command', async () => {
    const { out } = await jail(['/j', 'h', '', '/bin/cat'], new TestIo({ input: 'some input' }));
    assert.equal(out, 'some input');
  });

  it('signals reach the command, and its end by one is 128 and the number', async () => {
    const io = new TestIo();
    const running = jail(['/j', 'h', '', '/bin/sleep', '10'], io);
    await eventually(() => assert.equal(listJails()[0]?.state, 'running'));
    io.signal('SIGUSR1');
    assert.equal((await running).status, 138);
    assert.equal(io.listeners, 0);
    assert.deepEqual(kernel.jails, []);
  });

  it('the caller’s environment is inherited, unless -l cleans it', async () => {
    const plain = await environment();
    assert.deepEqual(plain.env, { PATH: '/p:/bin', TERM: 'vt100', SECRET: 's' });
    assert.deepEqual([plain.cwd, plain.uid], ['/', 0]);
    kernel.file('/j/etc/passwd', 'root:*:0:0::/:/bin/sh\nwww:*:81:81::/srv:/bin/csh\n');
    const inside = await environment('-l', '-U', 'www');
    assert.deepEqual([inside.uid, inside.cwd, inside.env.SECRET], [81, '/srv', undefined]);
    const { HOME, SHELL, USER, TERM } = inside.env;
    assert.deepEqual([HOME, SHELL, USER, TERM], ['/srv', '/bin/csh', 'www', 'vt100']);
  });

  it('-u is a user of the host, with the host’s groups, home and shell', async () => {
    kernel.file('/j/etc/passwd', 'www:*:81:81::/other:/bin/csh\n');
    const own = await environment('-u', 'www');
    assert.deepEqual([own.uid, own.groups, own.env.SECRET], [80, [80, 90], 's']);
    const { env, cwd, uid } = await environment('-lu', 'www');
    assert.deepEqual([uid, cwd, env.SECRET], [80, '/srv', undefined]);
    const { HOME, SHELL, USER, TERM } = env;
    assert.deepEqual([HOME, SHELL, USER, TERM], ['/srv', '/bin/sh', 'www', 'vt100']);
  });

  it('what cannot be is told as jail(8) tells it, and no jail is left', async () => {
    const usage =
      'Usage: jail [-i] [-l -u username | -U username] path hostname ip-list command ...\n';
    const long = 'x'.repeat(256);
    const cases: [string[], string][] = [
      [['-l', '/j', 'h', '', '/bin/env'], usage],
      [['-u', 'www', '-U', 'www', '/j', 'h', '', '/bin/env'], usage],
      [['-u'], `jail: option requires an argument -- u\n${usage}`],
      [['/file', 'h', '', '/bin/env'], 'jail: chdir: /file: Not a directory\n'],
      [['/j', long, '', '/bin/env'], 'jail: jail: Bad address\n'],
      [['/j', 'h', '', 'env'], 'jail: execv: env: No such file or directory\n'],
      [['/j', 'h', '', ''], 'jail: execv: : No such file or directory\n'],
      [['-lU', 'www', '/j', 'h', '', '/bin/env'], 'jail: www: no such user\n'],
      [['-lU', 'gone', '/j', 'h', '', '/bin/env'], 'jail: no home directory\n'],
    ];
    kernel.file('/j/etc/passwd', 'gone:*:81:81::/nowhere:/bin/csh\n');
    for (const [argv, errors] of cases) {
      assert.deepEqual(await jail(argv), { status: 1, out: '', errors });
      assert.deepEqual(kernel.jails, []);
    }
  });

  it('a hostname that would break the list is refused in words of our own', async () => {
    for (const hostname of ['a b', '', 'a\nb']) {
      const { status, errors } = await jail(['/j', hostname, '', '/bin/env']);
      assert.equal(status, 1);
      assert.match(errors, /^jail: Expected a hostname/);
    }
  });

  it('whoever is not root may neither make nor enter jails', async () => {
    jailBy(kernel.host.fork(), 'h', '/j');
    kernel.host.setuid(80);
    assert.equal(
      (await jail(['/j', 'h', '', '/bin/env'])).errors,
      'jail: jail: Operation not permitted\n',
    );
    for (const jid of ['0', '1', '99']) {
      const text = `jexec: jail_attach(${jid}) failed: Operation not permitted\n`;
      assert.equal((await jexec([jid, '/bin/env'])).errors, text);
    }
  });

  it('whoever is in a jail may neither', async () => {
    jailBy(kernel.host.fork(), 'h', '/j');
    jailBy(kernel.host, 'inside', '/');
    const { errors } = await jail(['/j', 'h', '', '/bin/env']);
    assert.equal(errors, 'jail: jail: Operation not permitted\n');
    for (const jid of ['1', '99']) {
      const text = `jexec: jail_attach(${jid}) failed: Operation not permitted\n`;
      assert.equal((await jexec([jid, '/bin/env'])).errors, text);
    }
    assert.equal(probe().features.jails?.available, false);
    assert.match(probe().features.jails?.reason ?? '', /in a jail/);
  });

  it('capabilities are what the kernel’s defaults are, but for the one that hangs it', async () => {
    kernel.programs.add('/bin/caps', ({ process, stdout }) => {
      const read = (node: string) => process.sysctl(`jail.${process.jid}.${node}`).bytes[0];
      stdout.write(
        [read('sys_set_hostname'), read('net_raw_sockets'), read('net_unixiproute')].join(),
      );
    });
    assert.equal((await jail(['/j', 'h', '', '/bin/caps'])).out, '1,0,0');
    kernel.host.sysctl('jail.defaults.allow_raw_sockets', { value: Buffer.from([1, 0, 0, 0]) });
    assert.equal((await jail(['/j', 'h', '', '/bin/caps'])).out, '1,1,0');
  });

  it('jexec looks along the caller’s PATH and passes the environment on', async () => {
    await using made = await Jail.create({ path: '/j', hostname: 'h' });
    const { out } = await jexec(
      [`${made.jid}`, 'env', 'x'],
      new TestIo({ env: { PATH: '/x:/bin', A: '1' } }),
    );
    const told = JSON.parse(out);
    assert.deepEqual(
      [told.argv, told.env, told.cwd],
      [['env', 'x'], { PATH: '/x:/bin', A: '1' }, '/'],
    );
    const missing = await jexec([`${made.jid}`, 'none']);
    assert.deepEqual(missing, {
      status: 1,
      out: '',
      errors: 'jexec: execvp(none) failed: No such file or directory\n',
    });
    assert.equal(
      (await jexec([`${made.jid}`, ''])).errors,
      'jexec: execvp() failed: No such file or directory\n',
    );
    assert.equal(made.info().state, 'empty');
  });

  it('jls shows what the kernel lists, hostile names included', async () => {
    const first = kernel.host.fork();
    jailBy(first, 'honest', '/j', ['10.0.0.1']);
    const second = kernel.host.fork();
    const jid = jailBy(second, 'liar', '/j');
    kernel.host.sysctl(`jail.${jid}.sys_set_hostname`, { value: Buffer.from([1, 0, 0, 0]) });
    second.sethostname('x /\n7 forged / 6.6.6.6\n\x1b[31m');
    const io = new TestIo();
    assert.equal(await jlsTool([], io), 0);
    const list = Buffer.from(kernel.host.sysctl('jail.list').bytes);
    assert.equal(io.out, jlsByHand(list));
    assert.match(io.out, /^7 {7}forged/m);
    const terminal = new TestIo({ terminal: true });
    await jlsTool(['--json', '-h'], terminal);
    assert.doesNotMatch(terminal.out, /\x1b/);
    assert.match(terminal.out, /\\x1b\[31m/);
  });

  it('jls says what is wrong when the list is broken for everybody', async () => {
    kernel.faults.inject({ call: 'sysctl', errno: 'ERANGE', forever: true });
    jailBy(kernel.host.fork(), 'h', '/j');
    const io = new TestIo();
    assert.equal(await jlsTool([], io), 1);
    assert.equal(io.errors, 'jls: sysctlbyname(): jail.list: Result too large\n');
  });
});
