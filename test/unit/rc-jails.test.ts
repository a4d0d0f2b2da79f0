import assert from 'node:assert/strict';
import { loadRcConf, RcError, type RcJail } from 'dragonfly-jail/rc';

const NEEDED = 'jail_www_rootdir=/jails/www\njail_www_hostname=www.test\njail_www_ip=192.0.2.1\n';

function load(text: string) {
  return loadRcConf({ text: `jail_enable=YES\njail_list=www\n${NEEDED}${text}`, file: 'rc.conf' });
}

function jail(text: string): RcJail {
  const found = load(text).jails.get('www');
  assert.ok(found);
  return found;
}

function refusal(text: string): RcError {
  try {
    load(text);
  } catch (error) {
    assert.ok(error instanceof RcError, String(error));
    assert.equal(error.code, 'ERR_JAIL_RC');
    return error;
  }
  return assert.fail(`taken: ${text}`);
}

describe('a jail of rc.conf', () => {
  it('has the defaults of rc.d/jail', () => {
    assert.deepEqual(jail(''), {
      name: 'www',
      path: '/jails/www',
      hostname: 'www.test',
      addresses: ['192.0.2.1'],
      interface: null,
      execStart: '/bin/sh /etc/rc',
      execStartArgv: ['/bin/sh', '/etc/rc'],
      execStop: '/bin/sh /etc/rc.shutdown',
      execStopArgv: ['/bin/sh', '/etc/rc.shutdown'],
      flags: '-l -U root',
      user: { name: 'root', of: 'jail' },
      login: true,
      fstab: null,
      devfs: false,
      procfs: false,
      mounts: [],
      capabilities: {},
      limits: {},
      dependsOn: [],
      consoleLog: null,
      execStopTimeoutMs: 30_000,
      persist: true,
    });
  });

  const shared: readonly (readonly [string, string, keyof RcJail, unknown, unknown])[] = [
    ['interface', 'em0', 'interface', 'em0', null],
    ['exec_start', '/bin/a b', 'execStartArgv', ['/bin/a', 'b'], ['/bin/sh', '/etc/rc']],
    ['exec_stop', '/bin/z', 'execStopArgv', ['/bin/z'], ['/bin/sh', '/etc/rc.shutdown']],
    ['devfs_enable', 'YES', 'devfs', true, false],
    ['procfs_enable', 'TRUE', 'procfs', true, false],
    ['mount_enable', 'on', 'fstab', '/etc/fstab.www', null],
    ['flags', '-u www', 'user', { name: 'www', of: 'host' }, { name: 'root', of: 'jail' }],
    ['consolelog', '/log', 'consoleLog', '/log', null],
    ['exec_stop_timeout', '5', 'execStopTimeoutMs', 5000, 30_000],
    ['persist', 'NO', 'persist', false, true],
    ['limits', 'core=0', 'limits', { core: 0 }, {}],
    ['capabilities', 'rawSockets', 'capabilities', { rawSockets: true }, {}],
  ];
  for (const [name, value, key, expected, fallback] of shared) {
    it(`takes ${name} of its own, then that of all jails, then the default`, () => {
      assert.deepEqual(jail(`jail_www_${name}="${value}"\n`)[key], expected);
      assert.deepEqual(jail(`jail_${name}="${value}"\n`)[key], expected);
      assert.deepEqual(jail(`jail_other_${name}="${value}"\n`)[key], fallback);
      assert.deepEqual(jail(`jail_www_${name}=\njail_${name}="${value}"\n`)[key], expected);
    });
  }

  it('with a start program of its own has no stop program unless it says so', () => {
    assert.equal(jail('jail_www_exec_start=/bin/a\n').execStop, null);
    assert.equal(jail('jail_www_exec=/bin/a\njail_www_exec_stop=/bin/b\n').execStop, null);
    assert.equal(jail('jail_www_exec=/bin/a\njail_www_exec_start=/bin/b\n').execStart, '/bin/a');
  });

  it('takes several addresses, capabilities by either name, and mounts', () => {
    const found = jail(`jail_www_ip="192.0.2.1,192.0.2.2, 2001:db8::1"
jail_default_raw_sockets_allow=YES
jail_www_capabilities="allow_raw_sockets=off chflags"
jail_www_mounts="/usr:/usr:ro /srv:/srv:noexec,nosuid"
jail_www_tmpfs="/tmp:size=64m,mode=1777"
jail_www_limits="cpu=60:90 memory=1g nofile=unlimited"
`);
    assert.deepEqual(found.addresses, ['192.0.2.1', '192.0.2.2', '2001:db8::1']);
    assert.deepEqual(found.capabilities, { rawSockets: false, chflags: true });
    assert.deepEqual(
      found.mounts.map(({ type, target, readOnly }) => [type, target, readOnly]),
      [
        ['nullfs', '/usr', true],
        ['nullfs', '/srv', false],
        ['tmpfs', '/tmp', false],
      ],
    );
    assert.deepEqual(found.limits, {
      cpu: { soft: 60, hard: 90 },
      memory: 2 ** 30,
      nofile: Number.POSITIVE_INFINITY,
    });
  });

  const bad: Readonly<Record<string, readonly [text: string, line: number, message: RegExp]>> = {
    'an address that is none': ['jail_www_ip=300.1.1.1\n', 6, /jail_www_ip: .*300\.1\.1\.1/],
    'no address at all': ['jail_www_ip=","\n', 6, /no address/],
    'a relative root': ['jail_www_rootdir=jails/www\n', 6, /jail_www_rootdir/],
    'a hostname with a blank': ['jail_www_hostname="a b"\n', 6, /jail_www_hostname/],
    'a flag that jail(8) has not': ['jail_www_flags="-n"\n', 6, /no flag "-n"/],
    '-l without a user': ['\njail_www_flags=-l\n', 7, /-l needs/],
    'a limit that is none': ['jail_www_limits="nofiles=3"\n', 6, /no limit "nofiles"/],
    'a capability that is none': ['jail_capabilities="rawSocket"\n', 6, /rawSocket/],
    'a mount without a target': ['jail_www_mounts="/usr"\n', 6, /no mount/],
    'a mount option that is none': ['jail_www_tmpfs="/tmp:sise=1"\n', 6, /sise/],
    'a time that is none': ['jail_exec_stop_timeout=soon\n', 6, /seconds/],
    'a dependency that is not there': ['jail_www_depends=db\n', 6, /depends on db/],
    'quotes that do not end': ['jail_www_exec_start="/bin/sh \'a"\n', 6, /jail_www_exec_start/],
  };
  for (const [name, [text, line, message]] of Object.entries(bad)) {
    it(`is refused for ${name}, with file and line`, () => {
      const error = refusal(text);
      assert.match(error.message, message);
      assert.deepEqual([error.file, error.line], ['rc.conf', line]);
    });
  }

  it('is refused without what it needs, at the line that names it', () => {
    const text = 'jail_enable=YES\njail_list="a b"\njail_a_rootdir=/a\n';
    assert.throws(() => loadRcConf({ text, file: 'x' }), {
      code: 'ERR_JAIL_RC',
      file: 'x',
      line: 2,
      message: /jail_a_hostname is not set/,
    });
  });

  it('comes after those that it depends on; circles are refused', () => {
    const one = (name: string, more = '') =>
      `jail_${name}_rootdir=/${name}\njail_${name}_hostname=h\njail_${name}_ip=192.0.2.1\n${more}`;
    const text = `jail_list="a b c d"\n${one('a', 'jail_a_depends="c b"\n')}${one('b')}${one('c')}${one('d')}`;
    assert.deepEqual(loadRcConf({ text }).order, ['c', 'b', 'a', 'd']);
    assert.throws(() => loadRcConf({ text: `${text}jail_b_depends=a\n` }), {
      code: 'ERR_JAIL_RC',
      message: /a → b → a/,
    });
    assert.throws(() => loadRcConf({ text: `${text}jail_b_depends=b\n` }), /b → b/);
  });

  it('is told of when a variable is nobody’s; those of a jail that is not in jail_list wait', () => {
    const { warnings } = load('jail_www_hostnam=x\njail_wwww_ip=1\njail_www_devfs_ruleset=4\n');
    assert.deepEqual(
      warnings.map(({ line }) => line),
      [6, 8],
    );
  });
});
