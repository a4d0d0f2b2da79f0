/** strtok(3), which remembers where it was, as the C library has it: byte for byte. */
class Tokens {
  #at: number | null;
  constructor(readonly bytes: Buffer) {
    this.#at = 0;
  }

  next(separator: string): string {
    const end = this.bytes.length;
    const isSeparator = (at: number) => this.bytes[at] === separator.charCodeAt(0);
    if (this.#at === null) return '(null)';
    let start = this.#at;
    while (start < end && isSeparator(start)) start++;
    if (start === end) {
      this.#at = null;
      return '(null)';
    }
    let stop = start;
    while (stop < end && !isSeparator(stop)) stop++;
    this.#at = stop === end ? null : stop + 1;
    return this.bytes.toString('latin1', start, stop);
  }
}

/** What jls(8) prints of a list, worked out the slow way: a character of the result for each byte. */
export function jlsByHand(list: Buffer): string {
  let text = 'JID\tHostname\tPath\t\tIPs\n';
  for (let from = 0; from <= list.length; ) {
    const found = list.indexOf('\n', from);
    const end = found < 0 ? list.length : found;
    const tokens = new Tokens(list.subarray(from, end));
    const [jid, hostname, path] = [tokens.next(' '), tokens.next(' '), tokens.next(' ')];
    const rest = tokens.next('\n');
    const wide = (word: string, width: number) =>
      word + ' '.repeat(Math.max(0, width - word.length));
    text += `${wide(jid, 8)}${wide(hostname, 15)} ${wide(path, 15)} `;
    text += `${rest === '(null)' ? '(none)' : rest}\n`;
    from = end + 1;
  }
  return text;
}
