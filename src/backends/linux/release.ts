/** The first kernel with everything that a jail is made of: idmapped mounts and mount_setattr(2). */
export const MINIMUM_RELEASE = '5.12';

/**
 * Compares kernel releases.
 *
 * @param release as uname(2) has it: `6.1.0-18-amd64`
 * @param minimum `5.12`
 */
export function isAtLeast(release: string, minimum: string): boolean {
  const [major, minor] = numbers(release);
  const [wantedMajor, wantedMinor] = numbers(minimum);
  return major === wantedMajor ? minor >= wantedMinor : major > wantedMajor;
}

function numbers(release: string): [major: number, minor: number] {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return [Number(major), Number(minor)];
}
