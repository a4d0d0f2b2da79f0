#!/usr/bin/env node
import { ProcessIo } from './io.js';
import { main } from './program.js';

const io = new ProcessIo();
io.exit(await main(process.argv.slice(2), io));
