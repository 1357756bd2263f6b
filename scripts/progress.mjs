const BEAT_MS = 10_000;

/**
 * Shows what is going on: a line when the step ends, and one now and then while it lasts.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function step(name, action) {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const beat = setInterval(() => say(`  … ${name.padEnd(24)} ${seconds()}`), BEAT_MS);
  try {
    const result = await action();
    say(`  ✔ ${name.padEnd(24)} ${seconds()}`);
    return result;
  } catch (error) {
    say(`  ✗ ${name.padEnd(24)} ${seconds()}`);
    throw error;
  } finally {
    clearInterval(beat);
  }
}

/**
 * Progress goes to standard error, results to standard output.
 *
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Something is missing or broken on this machine; the message says what, and how to get it. */
export class Obstacle extends Error {}

/**
 * Runs a script's main part; an obstacle ends it with its message alone, anything else with a
 * stack.
 *
 * @param {() => Promise<void>} main
 */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    const stack = error instanceof Error ? error.stack : String(error);
    say(`\n${error instanceof Obstacle ? error.message : stack}`);
    process.exitCode = 1;
  }
}
