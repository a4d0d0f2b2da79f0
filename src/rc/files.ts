import type { ResolvedOptions } from './options.js';
import type { RcJail } from './rc-jail.js';

/** The files of a jail outside of it. */
export interface RcFiles {
  /** The jid of the running jail, as rc.d/jail writes it. */
  readonly idFile: string;
  /** What its start and its stop program have written. */
  readonly consoleLog: string;
}

/** Where the files of a jail are. */
export function filesOf(jail: RcJail, options: ResolvedOptions): RcFiles {
  const { stateDirectory, logDirectory } = options;
  return {
    idFile: `${stateDirectory}/jail_${jail.name}.id`,
    consoleLog: jail.consoleLog ?? `${logDirectory}/jail_${jail.name}_console.log`,
  };
}
