// The page: draws what /events sends. All text is set as text: what a jail wrote never becomes markup.

const $ = (id) => document.getElementById(id);
const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** What turns the direction of text or is not seen, is shown by its code. */
function visible(text) {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`,
  );
}

function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

function megabytes(bytes) {
  return `${numbers.format(bytes / 2 ** 20)} MiB`;
}

function duration(milliseconds) {
  return milliseconds < 1000
    ? `${Math.round(milliseconds)} ms`
    : `${numbers.format(milliseconds / 1000)} s`;
}

function cell(text, className) {
  const td = document.createElement('td');
  td.textContent = visible(text);
  if (className) td.className = className;
  return td;
}

function processRow({ pid, jailPid, uid, state, cpuTime, rss, command, args }) {
  const row = document.createElement('tr');
  row.append(
    cell(`${pid}`, 'number'),
    cell(`${jailPid}`, 'number'),
    cell(`${uid}`, 'number'),
    cell(state),
    cell(duration(cpuTime), 'number'),
    cell(megabytes(rss), 'number'),
    cell(args.length > 0 ? args.join(' ') : `[${command}]`, 'command'),
  );
  return row;
}

function fill(card, jail) {
  const set = (name, text) => {
    card.querySelector(`.${name}`).textContent = visible(text);
  };
  set('name', jail.name ?? jail.hostname);
  set('jid', `jail ${jail.jid}`);
  set('state', jail.state);
  set('hostname', jail.hostname);
  set('addresses', jail.addresses.join('  ') || 'none');
  set('path', jail.path);
  card.querySelector('.state').dataset.state = jail.state;
  card.querySelector('.unconfirmed').hidden = jail.confirmed;
  card.querySelector('tbody').replaceChildren(...jail.processes.map(processRow));
  const left = jail.processCount - jail.processes.length;
  const more = card.querySelector('.more');
  more.hidden = left === 0;
  more.textContent = `and ${count(left, 'more process', 'more processes')}`;
}

// A card is kept as long as its jail: what somebody has selected or scrolled there stays.
const cards = new Map();

function cardOf(jid) {
  const known = cards.get(jid);
  if (known) return known;
  const card = $('jail').content.cloneNode(true).firstElementChild;
  cards.set(jid, card);
  return card;
}

function draw({ jails }) {
  const jids = new Set(jails.map(({ jid }) => jid));
  for (const [jid, card] of cards) {
    if (jids.has(jid)) continue;
    card.remove();
    cards.delete(jid);
  }
  for (const jail of jails) {
    const card = cardOf(jail.jid);
    fill(card, jail);
    if (!card.isConnected) $('jails').append(card);
  }
  const processes = jails.reduce((sum, { processCount }) => sum + processCount, 0);
  const memory = jails.reduce((sum, { rss }) => sum + rss, 0);
  $('none').hidden = jails.length > 0;
  $('totals').textContent = [
    count(jails.length, 'jail', 'jails'),
    count(processes, 'process', 'processes'),
    megabytes(memory),
  ].join(' · ');
}

function tell(state, text) {
  $('connection').dataset.state = state;
  $('connection').textContent = text;
}

// The browser connects again by itself.
const events = new EventSource('events');
events.onopen = () => tell('live', 'live');
events.onerror = () => tell('lost', 'not connected');
events.onmessage = ({ data }) => draw(JSON.parse(data));
