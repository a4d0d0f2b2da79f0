// Joins the compiled modules in dist: see lib/bundle.mjs. Run by npm run compile; tsc alone makes a package that works, too.
import { bundleLibrary } from './lib/bundle.mjs';

await bundleLibrary();
