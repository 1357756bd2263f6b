import { execFile } from 'node:child_process';
import { cp, copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../../base/errors.ts';
import { packageFolder } from '../program.ts';

const DATA_PACKAGE = 'vega-datasets';
const RAW_FILES = ['flights-3m.parquet', 'airports.csv'] as const;
/** What a run of the project makes, and what Python leaves behind: not part of the example. */
const MADE = new Set([
  'data',
  'out',
  'node_modules',
  '__pycache__',
  '.dvc',
  'dvc.lock',
  '.millwright',
]);

/** Copies the example into a project folder, and its raw data from the npm package that has it. */
export async function makeFlightsProject(folder: string): Promise<void> {
  const example = path.join(packageFolder, 'examples', 'flights');
  await cp(example, folder, {
    recursive: true,
    filter: (source) => !MADE.has(path.basename(source)) || source === example,
  });
  const raw = path.join(folder, 'data', 'raw');
  await mkdir(raw, { recursive: true });
  let source: string | null = null;
  for (const name of RAW_FILES) {
    const target = path.join(raw, name);
    if (await isFile(target)) continue;
    source ??= await rawDataFolder(folder);
    await copyFile(path.join(source, name), target);
  }
}

/** Where npm put the data: beside our own packages in a clone, else fetched into the project. */
async function rawDataFolder(folder: string): Promise<string> {
  const inClone = path.join(packageFolder, 'node_modules', DATA_PACKAGE, 'data');
  if (await isFile(path.join(inClone, RAW_FILES[0]))) return inClone;
  const prefix = path.join(folder, 'data', 'npm');
  await mkdir(prefix, { recursive: true });
  const { devDependencies } = JSON.parse(
    await readFile(path.join(packageFolder, 'package.json'), 'utf8'),
  ) as { readonly devDependencies: Readonly<Record<string, string>> };
  const wanted = `${DATA_PACKAGE}@${devDependencies[DATA_PACKAGE]}`;
  try {
    await promisify(execFile)(
      'npm',
      ['install', '--prefix', prefix, '--no-audit', '--no-fund', '--ignore-scripts', wanted],
      { cwd: prefix },
    );
  } catch (thrown) {
    throw new AppError('COMPONENT_MISSING', `npm could not fetch ${wanted}, the flights.`, {
      hint: `Put ${RAW_FILES.join(' and ')} of that package into ${path.join(folder, 'data', 'raw')}.`,
      cause: thrown,
    });
  }
  return path.join(prefix, 'node_modules', DATA_PACKAGE, 'data');
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}
