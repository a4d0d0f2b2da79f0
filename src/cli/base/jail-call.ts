import { ToolFailure } from './failure.js';
import { readOptions } from './getopt.js';

/** A command line of jail(8). */
export interface JailCall {
  readonly printJid: boolean;
  readonly login: boolean;
  /** `-u`: to be looked up on the host. */
  readonly hostUser: string | null;
  /** `-U`: to be looked up in the jail. */
  readonly jailUser: string | null;
  readonly path: string;
  readonly hostname: string;
  /** Still as they were given. */
  readonly addresses: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
}

const USAGE = 'Usage: jail [-i] [-l -u username | -U username] path hostname ip-list command ...';

/**
 * Reads a command line of jail(8).
 *
 * @param argv what follows the program's name
 * @throws ToolFailure the usage, and what is wrong before it
 */
export function readJailCall(argv: readonly string[]): JailCall {
  const { options, operands, complaint } = readOptions(argv, 'ilu:U:');
  if (complaint !== null) throw new ToolFailure(`jail: ${complaint}\n${USAGE}`);
  const last = (letter: string) =>
    options.findLast((option) => option.letter === letter)?.value ?? null;
  const hostUser = last('u');
  const jailUser = last('U');
  const login = last('l') !== null;
  const [path, hostname, addresses, ...command] = operands;
  const complete = path !== undefined && hostname !== undefined && addresses !== undefined;
  if (!complete || command.length === 0) throw new ToolFailure(USAGE);
  if (hostUser !== null && jailUser !== null) throw new ToolFailure(USAGE);
  if (login && hostUser === null && jailUser === null) throw new ToolFailure(USAGE);
  const printJid = last('i') !== null;
  return { printJid, login, hostUser, jailUser, path, hostname, addresses, command };
}
