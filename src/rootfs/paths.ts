import { normalize } from 'node:path';
import { invalidValue } from '../errors.js';
import { assertAbsolutePath, assertArray, assertKnownKeys, assertObject } from '../validate.js';

// The skeleton's own, and what a jail must never see of its host.
const OWN = ['/', '/etc', '/tmp', '/dev', '/proc'];
const OWN_WITH_CONTENTS = ['/dev/', '/proc/'];

/**
 * Checks an absolute path of a directory and takes `.`, `..` and doubled or trailing slashes out of it.
 *
 * @param value the path
 * @param name the argument, for messages
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function normalPath(value: unknown, name: string): string {
  assertAbsolutePath(value, name, 'a directory path');
  const path = normalize(value);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * The directories that the caller of prepareThinRoot wants beside the system's.
 *
 * @param options the options of prepareThinRoot
 * @param root the root that is prepared
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function includedPaths(options: unknown, root: string): readonly string[] {
  assertObject(options, 'options');
  assertKnownKeys(options, ['include'], 'options');
  const { include } = options;
  if (include === undefined) return [];
  assertArray(include, 'options.include', 'an array of absolute paths');
  return Array.from(include, (path: unknown, index) =>
    includedPath(path, `options.include[${index}]`, root),
  );
}

function includedPath(value: unknown, name: string, root: string): string {
  const path = normalPath(value, name);
  if (OWN.includes(path) || OWN_WITH_CONTENTS.some((start) => path.startsWith(start))) {
    throw invalidValue(name, 'a directory other than those that every jail has of its own', value);
  }
  if (path === root || root.startsWith(`${path}/`)) {
    throw invalidValue(name, 'a directory that does not hold the root itself', value);
  }
  return path;
}
