import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { JailSystemError } from '#internal/errors.js';
import { sameLinkError } from '#internal/link-error.js';
import { nativeFailure } from '#internal/native.js';
import { rcSystemError } from '#internal/rc/system-error.js';
import { rootError } from '#internal/rootfs/root-error.js';

const { ELOOP, EMLINK } = constants.errno;

function failed(code: string, errno: number, syscall: string): NodeJS.ErrnoException {
  const message = `${code}: too many links, ${syscall} '/x'`;
  return Object.assign(new Error(message), { code, errno: -errno, syscall, path: '/x' });
}

describe('a symbolic link where O_NOFOLLOW meets one', () => {
  const onBsd = failed('EMLINK', EMLINK, 'open');

  it('is ELOOP on every system, in errors of the system and in ours', () => {
    const loop = { code: 'ELOOP', errno: -ELOOP, syscall: 'open', path: '/x' };
    const told = [
      sameLinkError(onBsd),
      nativeFailure(onBsd),
      rootError(onBsd, '/x'),
      rcSystemError(onBsd, 'console-log', '/x'),
    ];
    for (const error of told) {
      const { code, errno, syscall, path, message } = error as JailSystemError;
      assert.deepEqual({ code, errno, syscall, path }, loop);
      assert.match(message, /^ELOOP: .*symbolic links.*'\/x'/);
    }
    const step = new JailSystemError({ errno: EMLINK, syscall: 'openat', step: 'mount' });
    assert.match(step.hint ?? '', /symbolic link/);
  });

  it('is not what link(2) says of too many of them, or any other error', () => {
    const links = failed('EMLINK', EMLINK, 'link');
    assert.equal(sameLinkError(links), links);
    assert.equal((nativeFailure(links) as JailSystemError).code, 'EMLINK');
    const missing = failed('ENOENT', constants.errno.ENOENT, 'open');
    assert.equal(sameLinkError(missing), missing);
    assert.equal(sameLinkError(undefined), undefined);
  });
});
