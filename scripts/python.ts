import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptCommand, aptInstall, canApt } from './apt.ts';
import { Obstacle } from './progress.mjs';
import { findProgram, isExecutable, ROOT, run } from './run.ts';

const VENV = join(ROOT, '.venv');
const REQUIREMENTS = join(ROOT, 'test', 'conformance', 'requirements.txt');
/** Written after a complete install, so that an interrupted one is repeated. */
const STAMP = join(VENV, '.millwright-install');

/** The pinned clients have wheels from 3.11 on; 3.13 is the newest they were tried with. */
const NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11'];
const OLDEST_MINOR = 11;
const NEWEST_MINOR = 13;

const DEBIAN_PACKAGES = ['python3', 'python3-venv'];

/**
 * The interpreter with the real foreign clients: $PYTHON, else the virtual environment's, else
 * null.
 */
export function findPython(): string | null {
  const named = process.env['PYTHON'];
  if (named !== undefined && named !== '') return isExecutable(named) ? named : findProgram(named);
  const own = venvPython();
  return isExecutable(own) ? own : null;
}

function venvPython(): string {
  return process.platform === 'win32'
    ? join(VENV, 'Scripts', 'python.exe')
    : join(VENV, 'bin', 'python');
}

/** An interpreter that has test/conformance/requirements.txt, made when it is missing or stale. */
export async function ensurePython(): Promise<string> {
  const named = process.env['PYTHON'];
  if (named !== undefined && named !== '') {
    const found = findPython();
    if (found === null)
      throw new Obstacle(`PYTHON=${named} does not exist. Unset it, or correct it.`);
    return found;
  }
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted && (await runs(venvPython()))) {
    return venvPython();
  }
  rmSync(VENV, { recursive: true, force: true });
  const uv = findProgram('uv');
  if (uv === null) await installWithPip();
  else await installWithUv(uv);
  writeFileSync(STAMP, wanted);
  return venvPython();
}

async function installWithUv(uv: string): Promise<void> {
  const versions = `>=3.${OLDEST_MINOR},<3.${NEWEST_MINOR + 1}`;
  await must(uv, ['venv', '--quiet', '--python', versions, VENV], 'uv could not make .venv.');
  await must(
    uv,
    ['pip', 'install', '--quiet', '--python', venvPython(), '-r', REQUIREMENTS],
    'uv could not install the Python clients of test/conformance/requirements.txt.',
  );
}

async function installWithPip(): Promise<void> {
  const base = await ensureBase();
  await must(base, ['-m', 'venv', VENV], `${base} could not make .venv.`);
  await must(
    venvPython(),
    ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check']
      // Building one of them from source would take an hour and a compiler: say that it is missing.
      .concat('--only-binary=:all:', '-r', REQUIREMENTS),
    'pip could not install the Python clients of test/conformance/requirements.txt.\n' +
      'Check the network and proxy; `pip config list` says where it looks.',
  );
}

async function must(command: string, args: readonly string[], says: string): Promise<void> {
  const { code, output } = await run(command, args);
  if (code === 0) return;
  throw new Obstacle(`${output.trim().split('\n').slice(-15).join('\n')}\n\n${says}`);
}

/** A Python of a supported version that can make virtual environments. */
async function ensureBase(): Promise<string> {
  const present = await findBase();
  if (typeof present === 'object' && canApt()) {
    await aptInstall(DEBIAN_PACKAGES);
    const installed = await findBase();
    if (typeof installed === 'string') return installed;
    throw new Obstacle(installed.lacking);
  }
  if (typeof present === 'object') {
    throw new Obstacle(
      `${present.lacking}\nOn Debian or Ubuntu, as root: ${aptCommand(DEBIAN_PACKAGES)}\n` +
        'Elsewhere: install Python, or uv, or set PYTHON to an interpreter that already has ' +
        'the packages of test/conformance/requirements.txt.',
    );
  }
  return present;
}

/** The first usable interpreter, or what the ones that are here lack. */
async function findBase(): Promise<string | { readonly lacking: string }> {
  let lacking = `The conformance tests need Python 3.${OLDEST_MINOR} to 3.${NEWEST_MINOR}.`;
  for (const name of NAMES) {
    const path = findProgram(name);
    // A version manager leaves shims on the PATH that fail when called.
    const probe = path === null ? null : await run(path, ['-c', PROBE]);
    const [minor, ensurepip] = probe?.code === 0 ? probe.output.trim().split(' ') : [];
    if (minor === undefined) continue;
    if (Number(minor) < OLDEST_MINOR || Number(minor) > NEWEST_MINOR) continue;
    if (ensurepip === 'yes') return path!;
    // Debian ships the two apart.
    lacking = `${path} cannot make virtual environments: its module ensurepip is missing.`;
  }
  return { lacking };
}

const PROBE = [
  'import sys, importlib.util as u',
  'ok = sys.version_info.major == 3 and u.find_spec("venv") and u.find_spec("ensurepip")',
  'print(sys.version_info.minor, "yes" if ok else "no")',
].join('\n');

async function runs(python: string): Promise<boolean> {
  return isExecutable(python) && (await run(python, ['-c', ''])).code === 0;
}
