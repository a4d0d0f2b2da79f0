const UNITS = ['', 'K', 'M', 'G', 'T', 'P'];

/** Bytes for people: `0`, `512`, `1.5M`, `23G`. Powers of 1024. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)}${UNITS[unit] ?? ''}`;
}

/** Milliseconds of CPU time for people: `0:03.25`, `12:40.00`, `3:02:17`. */
export function formatTime(milliseconds: number): string {
  const hundredths = Math.floor(milliseconds / 10);
  const seconds = Math.floor(hundredths / 100);
  const minutes = Math.floor(seconds / 60);
  const two = (value: number) => String(value).padStart(2, '0');
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}.${two(hundredths % 100)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
