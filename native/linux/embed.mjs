// Turns the anchor's executable into a header, so that the monitor carries it and no file of the host is needed.
import { readFileSync, writeFileSync } from 'node:fs';

const [, , input, output] = process.argv;
const bytes = [...readFileSync(input)];
const lines = [];
for (let i = 0; i < bytes.length; i += 24) lines.push(`  ${bytes.slice(i, i + 24).join(',')},`);
writeFileSync(
  output,
  `alignas(16) static const unsigned char kAnchorImage[] = {\n${lines.join('\n')}\n};\n`,
);
