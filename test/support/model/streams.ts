import type { Readable } from 'node:stream';

/** A line of a stream without its end; null: there is none. What follows stays in the stream. */
export async function readLine(stream: Readable): Promise<string | null> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk: Buffer | null = stream.read();
    if (chunk === null) {
      if (stream.readableEnded || stream.destroyed)
        return chunks.length > 0 ? textOf(chunks) : null;
      await readable(stream);
      continue;
    }
    const end = chunk.indexOf(10);
    if (end < 0) {
      chunks.push(chunk);
      continue;
    }
    chunks.push(chunk.subarray(0, end));
    if (end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1));
    return textOf(chunks);
  }
}

/** Everything that a stream has. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function readable(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      stream.off('readable', go).off('end', go).off('close', go);
      resolve();
    };
    stream.on('readable', go).on('end', go).on('close', go);
  });
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString();
}
