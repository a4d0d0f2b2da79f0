import assert from 'node:assert/strict';
import { join } from 'node:path';
import { nextIPv4, nextIPv6, nextPort } from '../support/addresses.js';
import { eventually } from '../support/environment.js';
import { makeDirectory, makeLink, writeFile } from '../support/files.js';
import { useJails } from '../support/jails.js';
import { startServer } from '../support/network.js';

const FOREVER = ['1000'];

describe('what there is inside a jail', () => {
  const jails = useJails();

  it('is told of its ports: those that somebody there listens on', async () => {
    const [port, other] = [nextPort(), nextPort()];
    const addresses = [nextIPv4(), nextIPv6()];
    const jail = await jails.create({ addresses });
    const neighbour = await jails.create({ addresses: [nextIPv4()] });
    neighbour.spawn('sleep', FOREVER);
    assert.equal(await jail.isListening(port), false, 'nobody is there');
    const server = await startServer(jail, addresses, port);
    assert.equal(await jail.isListening(port), true);
    assert.equal(await jail.isListening(other), false, 'another port');
    assert.equal(await neighbour.isListening(port), false, 'another jail');
    server.kill('SIGKILL');
    await server.exited;
    assert.equal(await jail.isListening(port), false, 'the server has ended');
  });

  it('is told of its files, with what is mounted there', async () => {
    const jail = await jails.create();
    jail.spawn('sleep', FOREVER);
    await jail.exec('sh', ['-c', 'echo > /tmp/ready']);
    assert.equal(await jail.hasFile('/tmp/ready'), true);
    assert.equal(await jail.hasFile('/tmp'), true);
    assert.equal(await jail.hasFile('/tmp/other'), false);
    assert.equal(await jail.hasFile('/tmp/ready/below'), false);
  });

  it('is not told of files that links and dots lead to', async () => {
    writeFile(join(jails.root.outside, 'secret'), '');
    makeDirectory(join(jails.root.path, 'home/links'));
    makeLink(jails.root.outside, join(jails.root.path, 'home/links/out'));
    const jail = await jails.create();
    jail.spawn('sleep', FOREVER);
    await eventually(async () => assert(await jail.hasFile('/home/links')));
    assert.equal(await jail.hasFile('/home/links/out'), true, 'the link itself is there');
    assert.equal(await jail.hasFile('/home/links/out/secret'), false);
    assert.equal(await jail.hasFile('/../secret'), false);
    assert.equal(await jail.hasFile('/home/../home'), false);
  });

  it('is not asked for what cannot be, nor of a jail that is gone', async () => {
    const jail = await jails.create();
    for (const port of [0, 65_536, 1.5, '80', undefined]) {
      await assert.rejects(jail.isListening(port as number), { code: /^ERR_INVALID_ARG_/ });
    }
    for (const path of ['tmp', '', 7, undefined]) {
      await assert.rejects(jail.hasFile(path as string), { code: /^ERR_INVALID_ARG_/ });
    }
    await jail.stop();
    await assert.rejects(jail.isListening(80), { code: 'ERR_JAIL_NOT_FOUND' });
    await assert.rejects(jail.hasFile('/tmp'), { code: 'ERR_JAIL_NOT_FOUND' });
  });
});
