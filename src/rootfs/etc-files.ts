const LINUX_PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;

const LINUX_GROUP = `root:x:0:
daemon:x:1:
tty:x:5:
users:x:100:
nogroup:x:65534:
nobody:x:65534:
`;

const BSD_PASSWD = `root:*:0:0:root:/root:/bin/sh
daemon:*:1:1:daemon:/:/sbin/nologin
nobody:*:65534:65534:nobody:/nonexistent:/sbin/nologin
`;

const BSD_GROUP = `wheel:*:0:
daemon:*:1:
tty:*:4:
nogroup:*:65533:
nobody:*:65534:
`;

const HOSTS = `127.0.0.1 localhost
::1 localhost
`;

// Names and passwords of nobody but the jail: no directory service, no host's cache daemon.
const NSSWITCH = `passwd: files
group: files
shadow: files
hosts: files dns
`;

/**
 * The files of a thin root's own /etc.
 *
 * @param linux whether the jail's programs are those of a Linux system
 * @returns name to content; no resolv.conf is taken over: which servers a jail may ask is the caller's choice
 */
export function etcFiles(linux: boolean): ReadonlyMap<string, string> {
  return new Map([
    ['passwd', linux ? LINUX_PASSWD : BSD_PASSWD],
    ['group', linux ? LINUX_GROUP : BSD_GROUP],
    ['hosts', HOSTS],
    ['nsswitch.conf', NSSWITCH],
    ['resolv.conf', ''],
  ]);
}
