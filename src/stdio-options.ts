import type { Stream } from 'node:stream';
import { invalidType, invalidValue, unsupported } from './errors.js';

/** One slot of a command's descriptors, as in `child_process.spawn`. */
export type StdioValue =
  | 'pipe'
  | 'overlapped'
  | 'inherit'
  | 'ignore'
  | Stream
  | number
  | null
  | undefined;

/** All slots by one word, or one by one. */
export type StdioOptions = 'pipe' | 'overlapped' | 'inherit' | 'ignore' | readonly StdioValue[];

/** What one slot becomes. */
export type ResolvedStdio =
  | { readonly kind: 'pipe' }
  /** /dev/null, the host's: a jail need not have one. */
  | { readonly kind: 'null' }
  | { readonly kind: 'closed' }
  /** A descriptor of this process; the stream that it belongs to, if any, must be kept alive meanwhile. */
  | { readonly kind: 'fd'; readonly fd: number; readonly stream: object | null };

/** A message carries no more descriptors than these. */
export const MAX_STDIO = 64;

const WORDS = ['pipe', 'overlapped', 'inherit', 'ignore'];
const EXPECTED = "'pipe', 'inherit', 'ignore', a stream or a descriptor";
const PIPE: ResolvedStdio = { kind: 'pipe' };
const NULL: ResolvedStdio = { kind: 'null' };
const CLOSED: ResolvedStdio = { kind: 'closed' };

/**
 * Checks the descriptors of a command.
 *
 * @param value a word for the first three, or a list
 * @param terminal the first three are a terminal of their own: they can be nothing else
 * @returns at least three slots
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_UNSUPPORTED` for `'ipc'`
 */
export function resolveStdio(value: unknown, terminal = false): readonly ResolvedStdio[] {
  const resolved = typeof value === 'string' ? slotsOfWord(value) : resolveSlots(value);
  if (terminal && resolved.slice(0, 3).some((slot) => slot.kind !== 'pipe')) {
    throw invalidValue('stdio', "'pipe' for the first three beside pty", value);
  }
  return resolved;
}

const THREE_PIPES: readonly ResolvedStdio[] = [PIPE, PIPE, PIPE];
const THREE_IGNORED: readonly ResolvedStdio[] = [NULL, NULL, NULL];

function slotsOfWord(word: string): readonly ResolvedStdio[] {
  refuseUnknownWord(word, 'stdio');
  if (word === 'ignore') return THREE_IGNORED;
  if (word === 'inherit') return [0, 1, 2].map((index) => slotOfWord(word, index));
  return THREE_PIPES;
}

function resolveSlots(value: unknown): readonly ResolvedStdio[] {
  if (value === undefined || value === null) return THREE_PIPES;
  if (!Array.isArray(value)) throw invalidType('stdio', `an array or ${EXPECTED}`, value);
  const slots = Array.from<unknown>(value);
  if (slots.length > MAX_STDIO) throw invalidValue('stdio', `at most ${MAX_STDIO} slots`, value);
  while (slots.length < 3) slots.push(undefined);
  return slots.map((slot, index) => resolveSlot(slot, index));
}

function refuseUnknownWord(word: string, name: string): void {
  if (word === 'ipc') {
    const hint = 'use a pipe in slot 3, or a UNIX socket inside the jail';
    throw unsupported(`'ipc' for ${name}`, 'a jailed command has no channel to this process', hint);
  }
  if (!WORDS.includes(word)) throw invalidValue(name, EXPECTED, word);
}

function resolveSlot(value: unknown, index: number): ResolvedStdio {
  const name = `stdio[${index}]`;
  if (value === undefined || value === null) return index < 3 ? PIPE : CLOSED;
  if (typeof value === 'number') return { kind: 'fd', fd: descriptor(value, name), stream: null };
  if (typeof value === 'string') {
    refuseUnknownWord(value, name);
    return slotOfWord(value, index);
  }
  if (typeof value !== 'object') throw invalidType(name, EXPECTED, value);
  const fd = streamDescriptor(value);
  if (fd === null) throw noDescriptor(value, name);
  return { kind: 'fd', fd, stream: value };
}

function slotOfWord(word: string, index: number): ResolvedStdio {
  if (word === 'inherit') return { kind: 'fd', fd: index, stream: null };
  // As libuv has it: only the first three are opened on /dev/null.
  if (word === 'ignore') return index < 3 ? NULL : CLOSED;
  return PIPE;
}

function descriptor(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0x7fffffff) return value;
  throw invalidValue(name, 'an open descriptor', value);
}

// Files tell it by `fd`; sockets, pipes and terminals by the handle below them.
function streamDescriptor(stream: object): number | null {
  const own = numberAt(stream, 'fd');
  if (own !== null) return own;
  const handle: unknown = Reflect.get(stream, '_handle') ?? Reflect.get(stream, 'handle');
  return typeof handle === 'object' && handle !== null ? numberAt(handle, 'fd') : null;
}

function numberAt(object: object, key: string): number | null {
  const value: unknown = Reflect.get(object, key);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;
}

function noDescriptor(value: object, name: string) {
  const isStream = typeof Reflect.get(value, 'pipe') === 'function' || 'write' in value;
  if (!isStream) return invalidType(name, EXPECTED, value);
  const hint = "it has no descriptor: a file stream has one after 'open' and until 'close'";
  return invalidValue(name, 'an open stream with a descriptor', value, hint);
}
