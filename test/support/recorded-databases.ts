import { gunzipSync } from 'node:zlib';
import { recordedFile } from './recordings.js';

/** A master.passwd(5), and what pwd_mkdb(8) of a real DragonFly made of it. */
export interface RecordedDatabases {
  readonly master: Buffer;
  readonly pwd: Buffer;
  readonly spwd: Buffer;
}

interface Recording {
  readonly cases: readonly Readonly<Record<'master.passwd' | 'pwd.db' | 'spwd.db', string>>[];
}

export function recordedDatabases(): RecordedDatabases[] {
  const { cases }: Recording = JSON.parse(recordedFile('pwd-mkdb-5.9.json'));
  return cases.map((one) => ({
    master: Buffer.from(one['master.passwd'], 'base64'),
    pwd: gunzipSync(Buffer.from(one['pwd.db'], 'base64')),
    spwd: gunzipSync(Buffer.from(one['spwd.db'], 'base64')),
  }));
}
