import { aptCommand, aptInstall, canApt } from './apt.ts';
import { Obstacle } from './progress.mjs';
import { findProgram, isExecutable, run } from './run.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser of the end-to-end tests: $CHROMIUM, else the first one on the PATH, else null. */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return isExecutable(named) ? named : findProgram(named);
  for (const name of NAMES) {
    const found = findProgram(name);
    if (found !== null) return found;
  }
  return null;
}

/** A Chromium that starts, installed when this machine lets us. */
export async function ensureChromium(): Promise<string> {
  const present = findChromium();
  if (present !== null && (await starts(present))) return present;
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') {
    throw new Obstacle(`CHROMIUM=${named} does not start. Unset it, or name a browser that does.`);
  }
  if (!canApt()) {
    throw new Obstacle(
      'The browser tests need Chromium, and none of ' +
        `${NAMES.join(', ')} is on the PATH.\nOn Debian or Ubuntu, as root: ` +
        `${aptCommand(['chromium'])}\nElsewhere: install it and set CHROMIUM to its path.`,
    );
  }
  await aptInstall(['chromium']);
  const installed = findChromium();
  if (installed === null || !(await starts(installed))) {
    throw new Obstacle(
      'Chromium was installed and still does not start: try `chromium --version`.',
    );
  }
  return installed;
}

async function starts(path: string): Promise<boolean> {
  return (await run(path, ['--version'])).code === 0;
}
