// The rows on DragonFly: beside the programs of its base system, forked from Node, as one would have to do without the
// package.
import { run as importing } from '../import.mjs';
import { run as hold } from './hold.mjs';
import { run as lists } from './lists.mjs';
import { run as lives } from './lives.mjs';
import { run as spawn } from './spawn.mjs';

export const rows = { loop: hold, spawn, processes: lists, create: lives, import: importing };
