// Every row of the table, in its order.
import { run as codecs } from './codecs.mjs';
import { run as create } from './create.mjs';
import { run as importing } from './import.mjs';
import { run as loop } from './loop-block.mjs';
import { run as many } from './many.mjs';
import { run as processes } from './processes.mjs';
import { run as spawn } from './spawn.mjs';
import { run as stdio } from './stdio.mjs';
import { run as stop } from './stop.mjs';

export const rows = {
  loop,
  spawn,
  create,
  stop,
  processes,
  many,
  stdio,
  import: importing,
  codecs,
};
