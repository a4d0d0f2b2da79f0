import { loadAllCommands } from '../registry.js';
import { markdownPage } from './markdown.js';
import { manualPage } from './mdoc.js';

/** A file of the project that is made of the texts of the subcommands. */
export interface GeneratedFile {
  /** Relative to the project's root. */
  readonly path: string;
  readonly text: string;
}

// Of the page's last change in kind; a generated date would make the file stale every day.
const MANUAL_DATE = 'November 24, 2026';

/**
 * Makes the documents about the program.
 *
 * @returns what the files must contain
 */
export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  const commands = await loadAllCommands();
  return [
    { path: 'man/dfjail.8', text: manualPage(commands, MANUAL_DATE) },
    { path: 'docs/cli.md', text: markdownPage(commands) },
  ];
}
