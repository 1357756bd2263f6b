/** Why an engine is paused. */
export interface EngineTrouble {
  /** Engines that died, one shortly after the other. */
  readonly deaths: number;
  /** How the last one ended: `SIGKILL`, or `status 1`. */
  readonly exit: string;
  /** Tasks that it had when it died; one of them may be what kills it. */
  readonly during: readonly string[];
  /** Until the next is tried; 0 while one is. */
  readonly retryInMs: number;
}

/** Null: it could not even be started. */
export function exitText(code: number | null, signal: string | null): string {
  if (signal !== null) return signal;
  return code === null ? 'no process' : `status ${code}`;
}

/** `died 7 times, last by SIGKILL with predictions.flush under way; tried again in 12 s`. */
export function troubleText({ deaths, exit, during, retryInMs }: EngineTrouble): string {
  const tasks = during.length === 0 ? '' : ` with ${during.join(', ')} under way`;
  const next = retryInMs === 0 ? 'on trial now' : `tried again in ${Math.ceil(retryInMs / 1000)} s`;
  return `died ${deaths} times, last by ${exit}${tasks}; ${next}`;
}

const CRASHES = new Set(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** What to do about it; it is tried again by itself meanwhile. */
export function cureOf({ exit }: Pick<EngineTrouble, 'exit'>): string {
  if (exit === 'SIGKILL') {
    return 'Something kills it, most likely the kernel for want of memory (dmesg): free some memory.';
  }
  if (CRASHES.has(exit)) {
    return 'A native module crashes it: is the disk full or damaged? Its last words are in the log.';
  }
  if (exit === 'no process') {
    return 'The machine has no memory, processes or open files left for it: see ulimit -n and -u.';
  }
  return 'Its last words are in the log of the server; start that again when they name a cause.';
}
