// npm run compile: from a fresh clone to a package that can be imported.
import { setup } from './lib/steps.mjs';

setup();
