import type { Endpoint, ModelKernel, ModelProcess, Program } from 'dragonfly-jail/testing';
import type { HostServer } from '../network.js';

// Sockets of a model carry nothing: what a server would say is told by who listens there.

const INET = 2;
const INET6 = 28;
const STREAM = 1;
const LISTENERS = new Map<number, (from: string) => void>();

/** Calls a server: its answer. @throws KernelError */
export function modelCall(
  kernel: ModelKernel,
  process: ModelProcess,
  host: string,
  port: number,
): string {
  const fd = process.socket(host.includes(':') ? INET6 : INET, STREAM);
  try {
    process.connect(fd, endpoint(host, port));
    const from = process.getsockname(fd).address;
    const remote = process.getpeername(fd);
    const listener = kernel.sockets.listener(remote);
    LISTENERS.get(port)?.(from);
    return listener?.credential.prison === null
      ? 'the host'
      : JSON.stringify({ at: remote.address, from });
  } finally {
    process.close(fd);
  }
}

/** A server of the model's host. */
export function modelListen({ host: process }: ModelKernel, host: string): HostServer {
  const fd = listen(process, host, 0);
  const { port } = process.getsockname(fd);
  const caller = new Promise<string>((resolve) => LISTENERS.set(port, resolve));
  return { port, caller, close: () => process.close(fd) };
}

/** `serve PORT ADDRESS…` */
export const serve: Program = ({ argv: [, port, ...addresses], process, stdout, forever }) => {
  for (const address of addresses) listen(process, address, Number(port));
  stdout.write('ready\n');
  return forever();
};

/** `call ADDRESS PORT`: the answer, or the error's code. */
export const callProgram =
  (kernel: ModelKernel): Program =>
  ({ argv: [, host = '', port], process, stdout }) => {
    try {
      stdout.write(modelCall(kernel, process, host, Number(port)));
    } catch (error) {
      stdout.write(String((error as { code?: unknown }).code));
    }
  };

/** `addresses`: those that it sees. */
export const addresses: Program = ({ process, stdout }) => {
  stdout.write(JSON.stringify(process.getifaddrs().flatMap(({ address }) => address ?? [])));
};

function listen(process: ModelProcess, host: string, port: number): number {
  const fd = process.socket(host.includes(':') ? INET6 : INET, STREAM);
  process.bind(fd, endpoint(host, port));
  process.listen(fd);
  return fd;
}

function endpoint(address: string, port: number): Endpoint {
  return { family: address.includes(':') ? 'inet6' : 'inet', address, port };
}
