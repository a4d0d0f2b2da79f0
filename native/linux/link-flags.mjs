// How the monitor is linked: without any shared library where the system has what that takes, since every jail's creation
// waits for its start. Prints the kind of program, or the libraries.
import { spawnSync } from 'node:child_process';

const STATIC = {
  kind: '-static-pie',
  libraries: '-Wl,--start-group -lc -lgcc -lgcc_eh -Wl,--end-group',
};
const SHARED = { kind: '-pie', libraries: '-lc -lgcc' };

function canLink({ kind, libraries }) {
  const compiler = (process.env.CXX || 'c++').split(' ');
  const flags = ['-x', 'c++', '-', '-fPIE', kind, '-nodefaultlibs', '-o', '/dev/null'];
  const args = [...compiler.slice(1), ...flags, ...libraries.split(' ')];
  const input = '#include <stdio.h>\nint main() { return puts(""); }\n';
  return spawnSync(compiler[0], args, { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

const flags = canLink(STATIC) ? STATIC : SHARED;
console.log(flags[process.argv[2]]);
