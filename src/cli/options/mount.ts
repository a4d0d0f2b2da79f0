import type { MountSpec, MountType, TmpfsOptions } from '../../mounts.js';
import { UsageError } from '../failure.js';

const TYPES: readonly MountType[] = ['nullfs', 'devfs', 'procfs', 'tmpfs'];
const HINT =
  'nullfs:/host/dir:/dir:ro, tmpfs::/tmp:size=64m,mode=1777, devfs::/dev or procfs::/proc';

/**
 * Reads `--mount TYPE:SOURCE:TARGET[:OPTION,…]`. The source is empty for all but nullfs, and may then be left out with
 * its colon; `\:` is a colon of a path.
 *
 * @param text such as `nullfs:/srv/www:/var/www:ro,nosuid`
 * @throws UsageError
 */
export function parseMount(text: string): MountSpec {
  const [type = '', ...fields] = text.split(/(?<!\\):/).map((field) => field.replace(/\\:/g, ':'));
  const known = TYPES.find((each) => each === type);
  if (known === undefined) throw badMount(text, `the type must be one of ${TYPES.join(', ')}`);
  if (known !== 'nullfs' && fields[0]?.startsWith('/')) fields.unshift('');
  const [source = '', target = '', options = '', ...more] = fields;
  if (more.length > 0) throw badMount(text, 'there are too many colons');
  if (target === '') throw badMount(text, 'there is no target');
  return {
    type: known,
    target,
    ...(source !== '' && { source }),
    ...mountOptions(text, options),
  };
}

function mountOptions(text: string, list: string): Pick<MountSpec, 'readOnly' | 'options'> {
  let readOnly = false;
  const options: TmpfsOptions = {};
  for (const word of list.split(',').filter((each) => each !== '')) {
    const [key, value] = word.split('=', 2);
    if (word === 'ro') readOnly = true;
    else if (word === 'rw') readOnly = false;
    else if (word === 'noexec' || word === 'nosuid') options[word] = true;
    else if ((key === 'size' || key === 'mode') && value) options[key] = value;
    else throw badMount(text, `there is no mount option ‘${word}’`);
  }
  return { readOnly, ...(Object.keys(options).length > 0 && { options }) };
}

function badMount(text: string, reason: string): UsageError {
  return new UsageError(`--mount ${text}: ${reason}`, HINT);
}
