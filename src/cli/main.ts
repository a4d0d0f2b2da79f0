#!/usr/bin/env node
import { signalExitCode } from './exit-codes.js';
import { processIo } from './io.js';
import { main } from './program.js';

// A reader that has seen enough: quietly, as a program ends that does not know of SIGPIPE.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(signalExitCode('SIGPIPE'));
  throw error;
});
process.stderr.on('error', () => {});

const code = await main(process.argv.slice(2), processIo());
// What is still open (a terminal that was read from) is not to keep the program.
process.stdout.write('', () => process.exit(code));
