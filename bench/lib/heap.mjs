// Living objects, so that the heap has the size that a program's has.

/** Fills the heap with that many megabytes of arrays; keep what is returned. */
export function fillHeap(megabytes) {
  const keep = [];
  while (keep.length < megabytes * 128) {
    keep.push(Array.from({ length: 1024 }, (_, i) => keep.length + i + 0.5));
  }
  return keep;
}
