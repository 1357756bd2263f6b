import { readFileSync } from 'node:fs';

/** Sockets at once, where nothing else bounds them: so that memory stays bounded. */
const CONNECTIONS_MAX = 2000;
const CONNECTIONS_MIN = 16;
/** Files for everything else: the database, journal, engine, and models that are being loaded. */
const RESERVED_FILES = 128;

/** How many connections the server takes, and what it did with those that it could not serve. */
export class Connections {
  readonly max: number;
  /** Asks the server once it listens. */
  countOpen: () => Promise<number> = async () => 0;
  /** Refused because `max` were open. */
  dropped = 0;
  /** Cut off because the client neither sent nor took anything. */
  cut = 0;
  readonly #onDropped: (() => void)[] = [];

  constructor(max: number) {
    this.max = max;
  }

  drop(): void {
    this.dropped += 1;
    for (const listener of this.#onDropped) listener();
  }

  onDropped(listener: () => void): void {
    this.#onDropped.push(listener);
  }
}

/**
 * As many as leave files for everything else: a server that cannot open a file can neither log nor
 * answer. `openFilesMax` null: not known.
 */
export function connectionsMax(openFilesMax: number | null): number {
  if (openFilesMax === null) return CONNECTIONS_MAX;
  return Math.max(CONNECTIONS_MIN, Math.min(CONNECTIONS_MAX, openFilesMax - RESERVED_FILES));
}

/** Files that this process may have open; Node raises the soft limit when it starts. */
export function openFilesMax(): number | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
