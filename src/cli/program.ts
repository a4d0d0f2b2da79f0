import { nearestWord } from '../validate.js';
import { exitCodes } from './exit-codes.js';
import { reportFailure, UsageError } from './failure.js';
import { type Io, printLine } from './io.js';
import { commandNames, loadCommand } from './registry.js';
import { packageVersion } from './version.js';

/**
 * The program `dfjail`, to be called from anywhere.
 *
 * @param argv the command line without the program's own name
 * @param io where it reads and writes; `new ProcessIo()` for a program of its own
 * @returns the exit code; it never rejects
 * @example process.exitCode = await main(['ls', '--json'], new ProcessIo());
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const [name = '', ...args] = argv;
    if (name === 'help') return await help(args, io);
    if (name === '--help' || name === '-h') return await help([], io);
    if (name === '--version' || name === '-V') return version(io);
    return await (await find(name)).run(args, io);
  } catch (error) {
    return reportFailure(error, io, { json: argv.includes('--json'), name: '' });
  }
}

async function find(name: string) {
  const command = await loadCommand(name);
  if (command !== undefined) return command;
  if (name === '' || name.startsWith('-')) {
    throw new UsageError('The first argument must be a subcommand');
  }
  const near = nearestWord(name, commandNames);
  const hint = near === undefined ? undefined : `did you mean ‘dfjail ${near}’?`;
  throw new UsageError(`There is no subcommand ‘${name}’`, hint);
}

async function help([name]: readonly string[], io: Io): Promise<number> {
  const { printHelp, printOverview } = await import('./help.js');
  if (name === undefined) await printOverview(io);
  else printHelp(await find(name), io);
  return exitCodes.ok;
}

function version(io: Io): number {
  printLine(io.stdout, `dfjail ${packageVersion()}`);
  return exitCodes.ok;
}
