// npm run prebuild: compiles the native part in a folder of its own and puts addon, programs and a manifest of their
// hashes into prebuilds/<tuple>/, from where `npm pack` takes them.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { type as systemType, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { writeManifest } from './lib/manifest.mjs';
import { headersFolder, PROGRAMS } from './lib/native.mjs';
import { at, giveUp, root, runQuietly, say } from './lib/project.mjs';
import { setup } from './lib/steps.mjs';

const SOURCES = ['binding.gyp', 'native', 'package.json'];

setup();
const { hostTuple } = await import('../dist/loader/tuple.js');
const { version } = await import('../package.json', { with: { type: 'json' } }).then(
  (m) => m.default,
);
const tuple = hostTuple();
const work = mkdtempSync(join(tmpdir(), 'dragonfly-jail-prebuild-'));
try {
  copySources(work);
  await compile(work);
  collect(work, at('prebuilds', tuple));
} finally {
  rmSync(work, { recursive: true, force: true });
}
say(`prebuilds/${tuple}: ${readdirSync(at('prebuilds', tuple)).join(' ')}`);

// The addon is moved away and build/ emptied by prebuildify: not in the checkout.
function copySources(folder) {
  for (const name of SOURCES) cpSync(at(name), join(folder, name), { recursive: true });
  symlinkSync(at('node_modules'), join(folder, 'node_modules'));
}

async function compile(folder) {
  const { default: prebuildify } = await import('prebuildify');
  const headers = headersFolder();
  if (headers) process.env.npm_config_nodedir = headers;
  await promisify(prebuildify)({
    cwd: folder,
    out: folder,
    name: 'jail',
    napi: true,
    // Node-API is the same in every version of Node; this one's headers are here.
    targets: [process.versions.node],
    // Its own idea is process.platform, which is freebsd on DragonFly.
    platform: systemType().toLowerCase(),
    strip: true,
    quiet: true,
  }).catch((error) => giveUp(`The native part could not be built: ${error.message}`));
}

function collect(folder, target) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const addon = join(
    folder,
    'prebuilds',
    `${systemType().toLowerCase()}-${process.arch}`,
    'jail.node',
  );
  if (!existsSync(addon)) giveUp(`prebuildify made no ${relative(root, addon)}`);
  const files = [addon, ...PROGRAMS.map((name) => join(folder, 'build', 'Release', name))];
  for (const file of files) install(file, target);
  const about = { package: 'dragonfly-jail', version, tuple, napi: 8 };
  writeManifest(
    target,
    about,
    files.map((file) => file.slice(dirname(file).length + 1)),
  );
}

function install(file, target) {
  const to = join(target, file.slice(dirname(file).length + 1));
  cpSync(file, to);
  chmodSync(to, 0o755);
  if (!runQuietly('strip', ['--strip-unneeded', to])) giveUp(`${to} could not be stripped`);
}
