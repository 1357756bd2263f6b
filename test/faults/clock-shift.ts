import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';

const SOURCE = path.join(import.meta.dirname, 'clock-shift.c');
const SECONDS_BYTES = 8;

/** Sets the wall clock of whatever process is started with its environment, while that runs. */
export class ClockShift {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  /** Compiles the library into the folder; throws with what is missing. */
  constructor(folder: string) {
    const library = path.join(folder, 'clock-shift.so');
    this.#file = path.join(folder, 'clock-shift');
    const flags = ['-shared', '-fPIC', '-O2', '-Wall', '-Werror'];
    try {
      execFileSync('cc', [...flags, SOURCE, '-o', library, '-ldl'], { stdio: 'pipe' });
    } catch (thrown) {
      throw new Error('A C compiler is needed to set the clock: apt-get install gcc libc6-dev', {
        cause: thrown,
      });
    }
    this.to(0);
    this.env = { LD_PRELOAD: library, CLOCK_SHIFT_FILE: this.#file };
  }

  /** By so many hours against the machine's clock. */
  to(hours: number): void {
    const bytes = Buffer.alloc(SECONDS_BYTES);
    bytes.writeBigInt64LE(BigInt(hours * 3600));
    // In place: the process has the file mapped.
    const file = openSync(this.#file, 'a+');
    closeSync(file);
    const written = openSync(this.#file, 'r+');
    writeSync(written, bytes, 0, SECONDS_BYTES, 0);
    closeSync(written);
  }
}
