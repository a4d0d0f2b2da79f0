import { malformed } from './bytes.js';
import type { FieldPlace, KernelLayout, StructLayout } from './layout.js';
import { layout59 } from './layout-5.9.js';

/** A row of the addon's table: a structure's size (`field` is empty), or the place of one of its fields. */
export interface CompiledField {
  readonly structure: string;
  readonly field: string;
  readonly offset: number;
  readonly size: number;
}

type StructName = keyof KernelLayout['structs'];

/** Our names of the system's structures. */
const STRUCTURES: Readonly<Record<StructName, string>> = {
  jail: 'jail',
  jailV0: 'jail_v0',
  sockaddrStorage: 'sockaddr_storage',
  sockaddrIn: 'sockaddr_in',
  sockaddrIn6: 'sockaddr_in6',
  sockaddrUn: 'sockaddr_un',
  kinfoProc: 'kinfo_proc',
  kinfoLwp: 'kinfo_lwp',
  timeval: 'timeval',
  rusage: 'rusage',
};

/**
 * The layout that the addon was compiled with: sizes and offsets are its own, numbers that have never changed (errors,
 * signals, families) are those of 5.9.
 *
 * @param table what the addon tells, see native/dragonfly/abi.hh
 * @throws JailError `ERR_JAIL_PROTOCOL`: a structure, or a field that a codec reads, is not in it
 */
export function compiledLayout(table: readonly CompiledField[]): KernelLayout {
  const structs = Object.fromEntries(
    (Object.keys(STRUCTURES) as StructName[]).map((name) => [name, compiledStruct(table, name)]),
  );
  return { ...layout59, structs: structs as KernelLayout['structs'] };
}

function compiledStruct(table: readonly CompiledField[], name: StructName): StructLayout<string> {
  const rows = table.filter(({ structure }) => structure === STRUCTURES[name]);
  const whole = rows.find(({ field }) => field === '');
  if (whole === undefined) throw malformed(`struct ${STRUCTURES[name]}`, 'not in the addon');
  const fields: Record<string, FieldPlace> = {};
  for (const { field, offset, size } of rows) if (field !== '') fields[field] = [offset, size];
  for (const field of Object.keys(layout59.structs[name].fields)) {
    if (fields[field] === undefined && !isSpare(field)) {
      throw malformed(`struct ${STRUCTURES[name]}`, `${field} is not in the addon`);
    }
  }
  return { size: whole.size, fields };
}

function isSpare(field: string): boolean {
  return field.endsWith('_spare');
}
