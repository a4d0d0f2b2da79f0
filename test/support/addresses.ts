// Runs of the suite beside each other, one as root and one not, are kept apart by their process ids.
// Never 0, which IPv6 would write together with the zeros beside it.
const run = 1 + (process.pid % 249);
let last = 0;

/** A private IPv4 address that no other jail of these tests has. */
export function nextIPv4(): string {
  last += 1;
  return `10.77.${run}.${(last % 250) + 2}`;
}

/** A private IPv6 address that no other jail of these tests has. */
export function nextIPv6(): string {
  last += 1;
  return `fd77::${run.toString(16)}:${last.toString(16)}`;
}

/** A port that these tests have not used yet. */
export function nextPort(): number {
  last += 1;
  return 20_000 + ((run * 37 + last) % 10_000);
}
