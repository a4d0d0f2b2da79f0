import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { inspect } from 'node:util';
import {
  errnoMessage,
  errnoName,
  hintFor,
  invalidType,
  invalidValue,
  JailError,
  JailSystemError,
  unsupported,
} from '#internal/errors.js';

describe('errors', () => {
  it('a failed call tells code, negative errno, call, step, path and jail', () => {
    const error = new JailSystemError({
      errno: constants.errno.EPERM,
      syscall: 'mount',
      step: 'mount',
      path: '/x',
      jid: 7,
    });
    assert.equal(error.message, "EPERM: operation not permitted, mount '/x' (step mount)");
    assert.equal(error.code, 'EPERM');
    assert.equal(error.errno, -constants.errno.EPERM);
    assert.equal(error.syscall, 'mount');
    assert.equal(error.step, 'mount');
    assert.equal(error.path, '/x');
    assert.equal(error.jid, 7);
    assert.ok(error.hint);
  });

  it('the sign of errno does not matter', () => {
    for (const errno of [constants.errno.ENOENT, -constants.errno.ENOENT]) {
      const error = new JailSystemError({ errno, syscall: 'chdir' });
      assert.equal(error.errno, -constants.errno.ENOENT);
      assert.equal(error.message, 'ENOENT: no such file or directory, chdir');
    }
  });

  it('what is not known is not there at all', () => {
    const error = new JailSystemError({ errno: constants.errno.EIO, syscall: 'read' });
    for (const property of ['step', 'path', 'jid', 'hint']) {
      assert.equal(Object.hasOwn(error, property), false, property);
    }
  });

  it('an error number without a name is still an error with its number', () => {
    const error = new JailSystemError({ errno: 9999, syscall: 'clone' });
    assert.equal(error.code, 'UNKNOWN');
    assert.equal(error.errno, -9999);
    assert.match(error.message, /9999/);
  });

  it('a name that the caller knows better is taken', () => {
    const details = {
      errno: 87,
      syscall: 'unshare',
      code: 'EUSERS',
      description: 'too many users',
    };
    const error = new JailSystemError(details);
    assert.equal(error.code, 'EUSERS');
    assert.equal(error.message, 'EUSERS: too many users, unshare');
  });

  it('classes can be told apart, and are errors', () => {
    const system = new JailSystemError({ errno: 1, syscall: 'jail' });
    assert.ok(system instanceof JailError && system instanceof Error);
    assert.equal(system.name, 'JailSystemError');
    assert.equal(new JailError('ERR_JAIL_NOT_FOUND', 'no').name, 'JailError');
    assert.ok(!(new JailError('ERR_JAIL_NOT_FOUND', 'no') instanceof JailSystemError));
  });

  it('a printed error shows its class once and its code', () => {
    const text = inspect(new JailError('ERR_JAIL_NOT_FOUND', 'there is no jail 3'));
    assert.match(text, /^JailError: there is no jail 3/);
    assert.match(text, /ERR_JAIL_NOT_FOUND/);
    assert.doesNotMatch(text, /name:/);
  });

  it('the cause is kept', () => {
    const cause = new Error('first');
    assert.equal(new JailError('ERR_JAIL_NATIVE', 'second', { cause }).cause, cause);
  });

  it('arguments are refused in one form of words', () => {
    const path = invalidType('path', 'a directory path', 42);
    assert.equal(path.code, 'ERR_INVALID_ARG_TYPE');
    assert.equal(path.message, 'Expected a directory path for path but received 42 of type number');
    const name = invalidValue('name', 'a name', 'x y', 'no space');
    assert.equal(name.code, 'ERR_INVALID_ARG_VALUE');
    assert.equal(name.message, "Expected a name for name but received 'x y' of type string");
    assert.equal(name.hint, 'no space');
    assert.match(invalidType('x', 'a y', null).message, /received null of type null$/);
    assert.match(invalidType('x', 'a y', [1]).message, /received \[ 1 \] of type array$/);
    assert.match(invalidType('x', 'a y', undefined).message, /undefined of type undefined$/);
  });

  it('a value is shown on one short line, and none of its own code is run', () => {
    const nasty = {
      [inspect.custom]: () => assert.fail('its code was run'),
      text: 'x'.repeat(10_000),
    };
    const { message } = invalidType('x', 'a y', nasty);
    assert.ok(message.length < 400, message);
    assert.doesNotMatch(message, /\n/);
    assert.ok(invalidValue('x', 'a y', 'z'.repeat(100_000)).message.length < 400);
  });

  it('a value that fights being shown is refused all the same', () => {
    const nasty = Object.defineProperty({}, Symbol.toStringTag, {
      get: () => assert.fail('thrown by the value'),
    });
    assert.match(invalidType('x', 'a y', nasty).message, /^Expected a y for x but received /);
  });

  it('what cannot be done here says why', () => {
    const error = unsupported('limits.memory', 'no cgroup is writable', 'mount one');
    assert.equal(error.code, 'ERR_JAIL_UNSUPPORTED');
    assert.match(error.message, /limits\.memory.*no cgroup is writable/);
    assert.equal(error.hint, 'mount one');
  });

  it('the hint of a step goes before that of its code alone', () => {
    assert.notEqual(hintFor('EPERM', 'mount'), hintFor('EPERM'));
    assert.equal(hintFor('EPERM', 'no such step'), hintFor('EPERM'));
    assert.equal(hintFor('EXDEV', 'mount'), undefined);
  });

  it('one number with two names has the one that Node uses', () => {
    assert.equal(errnoName(constants.errno.EAGAIN), 'EAGAIN');
    assert.equal(errnoName(-constants.errno.ENOTSUP), 'ENOTSUP');
    assert.equal(errnoMessage(constants.errno.EACCES), 'permission denied');
  });
});
