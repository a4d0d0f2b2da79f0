// Joins the modules that are always loaded together: Node takes about half a millisecond for every file.
//
// dist/bundle/<layer>.js has the code of an entry point (a public one, the program's, or one that is loaded late) and of
// everything that it needs and no earlier layer has; in dist/ every module stays where it was, as a file that passes on
// its part of the bundle. So there is one instance of each module in a program, whichever way it was imported. What tsc
// has put into dist works too, only slower.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type as systemType } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { at, say } from './project.mjs';

const SOURCES = at('src');
const BUILTIN_IMPORT = /^import \{([^}]*)\} from '(node:[^']+)';/gm;
const FOLDER = at('dist', 'bundle');
const COMMON = { format: 'esm', platform: 'node', target: 'node20', tsconfig: at('tsconfig.json') };

// How a bundle gets at Node's own modules. For each that is imported Node makes another module around it: that takes a
// third of a millisecond, and there are a dozen.
const BUILTIN = `import { createRequire as requireFor } from 'node:module';
const builtin = process.getBuiltinModule ?? requireFor(import.meta.url);`;

// Of these Node loads a good part only when they are asked for, which takes it some milliseconds: a bundle asks when it
// first needs them. A class that extends one of theirs needs it at once.
const LATE = /^node:(net|stream|tty)$/;

/** Replaces what tsc has put into dist; the declarations stay. */
export async function bundleLibrary() {
  const esbuild = await loadEsbuild();
  if (esbuild === null) return;
  rmSync(FOLDER, { recursive: true, force: true });
  const placed = new Map();
  for (const [layer, entry] of layers()) {
    const modules = await newModules(esbuild, entry, placed);
    const exported = await exportedNames(esbuild, modules);
    await writeBundle(esbuild, layer, exported, placed);
    for (const [module, names] of exported) {
      writeFacade(module, names, layer);
      placed.set(module, { layer, names });
    }
  }
}

// The public entry points, the one that the others are built on first, what that loads later, and the program's; each with
// its source.
function layers() {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const modules = Object.entries(exports).filter(([, target]) => target.default);
  const entries = modules.map(([name, target]) => [
    name === '.' ? 'index' : name.replace('./', ''),
    target.default.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts'),
  ]);
  const [index, ...others] = entries;
  const late = ['dragonfly', 'backends/dragonfly/native-backend.ts'];
  return [index, late, ...others, ['cli', 'cli/program.ts']];
}

async function loadEsbuild() {
  // npm takes it for FreeBSD, whose program does not run here.
  if (systemType() === 'DragonFly') {
    say('esbuild has no program for DragonFly: the package stays in many files, which works too');
    return null;
  }
  try {
    const esbuild = await import('esbuild');
    await esbuild.transform('');
    return esbuild;
  } catch (error) {
    say(`esbuild does not run here, so the package stays in many files: ${error.message}`);
    return null;
  }
}

// What is reached from an entry and in no layer yet, as paths below src.
async function newModules(esbuild, entry, placed) {
  const options = { entryPoints: [at('src', entry)], bundle: true, write: false, metafile: true };
  const plugins = [dynamicImportsStay()];
  const { metafile } = await esbuild.build({ ...COMMON, ...options, plugins });
  const modules = Object.keys(metafile.inputs).map((path) => moduleOf(resolve(path)));
  return modules.filter((module) => !placed.has(module));
}

// By module; the names of types are not among them.
async function exportedNames(esbuild, modules) {
  const entryPoints = modules.map((module) => at('src', module));
  const options = { entryPoints, bundle: false, write: false, metafile: true, outdir: FOLDER };
  const { metafile } = await esbuild.build({ ...COMMON, ...options });
  const outputs = Object.values(metafile.outputs);
  return new Map(outputs.map((it) => [moduleOf(resolve(it.entryPoint)), it.exports]));
}

async function writeBundle(esbuild, layer, exported, placed) {
  const lines = [...exported].map(([module, names]) => {
    return exportLine(
      names.map((name) => [name, mangled(module, name)]),
      `./${module}`,
    );
  });
  await esbuild.build({
    ...COMMON,
    stdin: { contents: lines.join(''), resolveDir: SOURCES, loader: 'ts' },
    bundle: true,
    outfile: join(FOLDER, `${layer}.js`),
    sourcemap: true,
    sourcesContent: false,
    banner: { js: BUILTIN },
    plugins: [dynamicImportsStay(), builtinsAreAskedFor(), lateBuiltins(), earlierLayers(placed)],
  });
}

function writeFacade(module, names, layer) {
  const file = at('dist', module.replace(/\.ts$/, '.js'));
  const bundle = relative(dirname(file), join(FOLDER, `${layer}.js`));
  const path = bundle.startsWith('.') ? bundle : `./${bundle}`;
  writeFileSync(file, facade(module, names, path));
  rmSync(`${file}.map`, { force: true });
}

function facade(module, names, bundle) {
  return exportLine(
    names.map((name) => [mangled(module, name), name]),
    bundle,
  );
}

function exportLine(pairs, from) {
  const list = pairs.map(([name, as]) => `${name} as ${as}`);
  return `export { ${list.join(', ')} } from '${from}';\n`;
}

// A module's name as its bundle exports it: other modules may have the same one.
function mangled(module, name) {
  return `${module.replace(/\.ts$/, '').replace(/[^A-Za-z0-9]/g, '_')}__${name}`;
}

// A path below src.
function moduleOf(path) {
  return relative(SOURCES, path).replace(/\.js$/, '.ts');
}

// As found from the bundle's folder.
function dynamicImportsStay() {
  const setup = (build) => {
    build.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      return { path: `../${relative(SOURCES, resolve(resolveDir, path))}`, external: true };
    });
  };
  return { name: 'dynamic-imports-stay', setup };
}

function builtinsAreAskedFor() {
  const setup = (build) => {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!path.startsWith(SOURCES)) return undefined;
      const source = readFileSync(path, 'utf8');
      return { contents: source.replaceAll(BUILTIN_IMPORT, askFor), loader: 'ts' };
    });
  };
  return { name: 'builtins-are-asked-for', setup };
}

// On as many lines as before, for the source map.
function askFor(statement, list, module) {
  if (LATE.test(module)) return statement;
  const values = valuesOf(list);
  const lines = '\n'.repeat(statement.split('\n').length - 1);
  if (values.length === 0) return lines;
  return `const { ${values.join(', ').replaceAll(' as ', ': ')} } = builtin('${module}');${lines}`;
}

// The names between the braces that are no types.
function valuesOf(list) {
  const names = list.split(',').map((name) => name.trim());
  // `type x` is one, `type as x` is node:os' function.
  return names.filter((name) => name !== '' && !/^type (?!as )/.test(name));
}

const lateModules = {}; // by name: the same for every layer

// As a CommonJS module with getters: every use of a name is compiled to an access then.
function lateBuiltins() {
  const namespace = 'late';
  const setup = (build) => {
    build.onResolve({ filter: LATE }, ({ path }) => ({ path, namespace, sideEffects: false }));
    build.onLoad({ filter: /./, namespace }, ({ path }) => {
      lateModules[path] ??= lateModule(path);
      return { contents: lateModules[path] };
    });
  };
  return { name: 'late-builtins', setup };
}

function lateModule(module) {
  const getters = namesOf(module).map((name) => `get ${name}() { return load().${name}; },`);
  return `let loaded;
    const load = () => (loaded ??= builtin('${module}'));
    module.exports = { ${getters.join(' ')} };`;
}

// What any of our modules wants of one of Node's.
function namesOf(module) {
  const files = readdirSync(SOURCES, { recursive: true }).filter((name) => name.endsWith('.ts'));
  const names = files.flatMap((file) => {
    const imports = readFileSync(join(SOURCES, file), 'utf8').matchAll(BUILTIN_IMPORT);
    return [...imports].flatMap(([, list, from]) => (from === module ? valuesOf(list) : []));
  });
  return [...new Set(names.map((name) => name.replace(/ as .*/, '')))].sort();
}

// What an earlier layer has is imported from there.
function earlierLayers(placed) {
  const namespace = 'earlier';
  const setup = (build) => {
    build.onResolve({ filter: /^\./ }, ({ path, resolveDir, ...from }) => {
      if (from.namespace === namespace) return { path, external: true };
      const module = moduleOf(resolve(resolveDir, path));
      return placed.has(module) ? { path: module, namespace } : undefined;
    });
    build.onLoad({ filter: /./, namespace }, ({ path }) => {
      const { layer, names } = placed.get(path);
      return { contents: facade(path, names, `./${layer}.js`) };
    });
  };
  return { name: 'earlier-layers', setup };
}
