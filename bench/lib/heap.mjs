// Living objects, so that the heap has the size that a program's has.

const NUMBERS = Array.from({ length: 1024 }, (_, i) => i + 0.5);

/** Fills the heap with that many megabytes of arrays; keep what is returned. */
export function fillHeap(megabytes) {
  const keep = [];
  while (keep.length < megabytes * 128) {
    const numbers = NUMBERS.slice();
    numbers[0] = keep.length + 0.5; // its own, not shared until it is written
    keep.push(numbers);
  }
  return keep;
}
