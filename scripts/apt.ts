import { findProgram, run } from './run.ts';
import { Obstacle } from './progress.mjs';

/** apt allows one run at a time. */
let last: Promise<unknown> = Promise.resolve();
let isListFresh = false;

/** The command a person would type to get the packages. */
export function aptCommand(packages: readonly string[]): string {
  return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/** Debian or a relative of it, and we may install. */
export function canApt(): boolean {
  return process.getuid?.() === 0 && findProgram('apt-get') !== null;
}

export async function aptInstall(packages: readonly string[]): Promise<void> {
  const mine = last.then(() => install(packages));
  last = mine.catch(() => undefined);
  await mine;
}

async function install(packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // A failed update matters only when the package is not in the list we have: install will say.
  if (!isListFresh) await run('apt-get', ['update'], { env });
  isListFresh = true;
  const wait = ['-o', 'DPkg::Lock::Timeout=300'];
  const { code, output } = await run(
    'apt-get',
    [...wait, 'install', '-y', '--no-install-recommends', ...packages],
    { env },
  );
  if (code !== 0) {
    const tail = output.trim().split('\n').slice(-15).join('\n');
    throw new Obstacle(`${tail}\n\nCould not install it. By hand: ${aptCommand(packages)}`);
  }
}
