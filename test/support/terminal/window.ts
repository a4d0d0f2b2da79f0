/** How a screen is to be told. */
export interface ScreenOptions {
  /** With the sequences of colours. */
  readonly colours?: boolean;
  /** Lines that the window broke are whole. */
  readonly whole?: boolean;
}

/** A window with a shell in it, whoever shows it. */
export interface Window {
  /** Types text as it is. */
  write(text: string): Promise<void>;
  /** Presses keys by their names in tmux(1): `C-c`, `Up`, `q`. */
  press(keys: readonly string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  screen(options: ScreenOptions): Promise<string>;
  close(): Promise<void>;
}

/** What a window is opened with. */
export interface WindowOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly columns: number;
  readonly rows: number;
  /** A command line of sh(1). */
  readonly command: string;
}
