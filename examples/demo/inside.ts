// The programs that run in the jail. The root has Node at the same path as the host.
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const node = realpathSync(process.execPath);

/** Where the programs are, as the jail sees them. */
export const programs = {
  server: '/home/server.mjs',
  fetch: '/home/fetch.mjs',
  attempt: '/home/attempt.mjs',
} as const;

const SERVER = `
import { createServer } from 'node:http';
import { hostname } from 'node:os';
const [port, ...addresses] = process.argv.slice(2);
const listen = (address) => new Promise((listening, failed) => {
  const server = createServer((request, response) => {
    response.end(\`Hello from \${hostname()} at \${address}\\n\`);
  });
  server.on('error', failed).listen(port, address, listening);
});
await Promise.all(addresses.map(listen));
console.log('ready');
`;

const FETCH = `
import { get } from 'node:http';
const signal = AbortSignal.timeout(10_000);
get(process.argv[2], { signal }, (response) => response.pipe(process.stdout));
`;

// Prints "allowed", or the code of the error.
const ATTEMPT = `
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
const attempts = {
  bind: (address) => new Promise((bound, failed) => {
    createServer().on('error', failed).listen(0, address, bound);
  }),
  kill: (pid) => process.kill(Number(pid), 'SIGKILL'),
  read: (path) => readFileSync(path),
};
const [what, operand] = process.argv.slice(2);
try {
  await attempts[what](operand);
  console.log('allowed');
} catch (error) {
  console.log(error.code);
}
process.exit();
`;

/** Puts the programs into a root. */
export function installPrograms(root: string): void {
  const sources = { server: SERVER, fetch: FETCH, attempt: ATTEMPT };
  for (const [name, path] of Object.entries(programs)) {
    const source = sources[name as keyof typeof sources];
    writeFileSync(join(root, path), source.trimStart(), { mode: 0o644 });
  }
}
