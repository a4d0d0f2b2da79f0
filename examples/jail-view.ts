// The jails of this machine and their processes: as JSON for programs, and live on a web page for people.
//
//   npm run example jail-view              http://127.0.0.1:8087/
//   PORT=9000 npm run example jail-view
//
//   GET /             the page
//   GET /jails.json   what there is now
//   GET /events       the same as server-sent events, at once and whenever something has changed
//
// It shows what this user may see, to this machine only, and changes nothing. Make some jails to look at:
// npm run example web-server. Whatever comes from a jail (hostnames, names and arguments of processes) is its root's
// choice: here it is data in JSON, and on the page text, never markup.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { JailFeed } from './jail-view/feed.js';
import { takeSnapshot } from './jail-view/snapshot.js';
import { asked } from './shared/scratch.js';

const LOCAL = '127.0.0.1';

// Nothing but the page's own files runs or is loaded, whatever should ever get into it.
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

function pageFile(name: string, type: string): Handler {
  const content = readFileSync(new URL(`./jail-view/page/${name}`, import.meta.url));
  return (_request, response) => {
    response.writeHead(200, { ...PAGE_HEADERS, 'content-type': `${type}; charset=utf-8` });
    response.end(content);
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function routesFor(feed: JailFeed): ReadonlyMap<string, Handler> {
  return new Map<string, Handler>([
    ['/', pageFile('index.html', 'text/html')],
    ['/style.css', pageFile('style.css', 'text/css')],
    ['/page.js', pageFile('page.js', 'text/javascript')],
    ['/jails.json', sendSnapshot],
    ['/events', (_request, response) => feed.follow(response)],
  ]);
}

function sendSnapshot(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { ...PAGE_HEADERS, 'content-type': 'application/json' });
  response.end(`${JSON.stringify(takeSnapshot(), null, 2)}\n`);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { ...PAGE_HEADERS, 'content-type': 'text/plain' });
  response.end(`${why}\n`);
}

function isLocal(host = ''): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host);
}

function answer(routes: ReadonlyMap<string, Handler>): Handler {
  return (request, response) => {
    // A page of somebody else's, whose name leads to 127.0.0.1, may not read this through the user's browser.
    if (!isLocal(request.headers.host)) return refuse(response, 403, 'Not by this name.');
    if (request.method !== 'GET') return refuse(response, 405, 'There is nothing to change here.');
    const handler = routes.get(request.url ?? '');
    if (handler === undefined) return refuse(response, 404, 'There is nothing here.');
    handler(request, response);
  };
}

const end = asked();
const feed = new JailFeed();
const server = createServer(answer(routesFor(feed)));
server.listen(Number(process.env.PORT ?? 8087), LOCAL, () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://${LOCAL}:${port}/`);
});
await end;
feed.close();
server.close();
server.closeAllConnections();
