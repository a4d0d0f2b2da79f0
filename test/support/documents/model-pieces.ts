// The same as `pieces.ts` for what docs/dragonfly.md does on DragonFly: a model of its kernel instead.
import { ModelKernel, useModelKernel } from 'dragonfly-jail/testing';

const kernel = new ModelKernel();
for (const folder of ['full/dev', 'full/proc', 'web', 'bare']) kernel.directory(`/jails/${folder}`);
kernel.network.add('em0').addresses.push('10.0.0.1');
kernel.programs
  .add('/bin/sh', ({ argv }) => (/^\/etc\/rc(\.shutdown)?$/.test(argv[1] ?? '') ? 0 : 127))
  .add('/httpd', ({ forever }) => forever());
useModelKernel(kernel);

/** Nothing is left of a model. */
export async function settle(): Promise<void> {
  process.exit();
}
