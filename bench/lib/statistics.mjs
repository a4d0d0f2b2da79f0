// What is said of a list of times.

/** The value below which a part of the sorted numbers lies. */
export function quantile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}

/** Median, and the quartiles around it: half of all measurements are between them. */
export function summary(numbers) {
  return {
    median: quantile(numbers, 0.5),
    low: quantile(numbers, 0.25),
    high: quantile(numbers, 0.75),
    count: numbers.length,
  };
}

/** How many times `a` is `b`: the median over the rounds, each of which measured both one after the other. */
export function ratio(a, b) {
  return quantile(
    a.map((value, i) => value / b[i]),
    0.5,
  );
}
