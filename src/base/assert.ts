/** Thrown when our own code broke its word; never retried, never shown as a user's mistake. */
export class AssertionFailure extends Error {
  constructor(message: string) {
    super(`${message} (this is a bug in Millwright, please report it)`);
    this.name = 'AssertionFailure';
  }
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** The value, where the surrounding code guarantees that there is one. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new AssertionFailure(`${what} is missing`);
  return value;
}
