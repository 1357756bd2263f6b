import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT } from '../../scripts/run.ts';
import { step } from '../../scripts/progress.mjs';
import { ensureBenchPython, must, python } from './python.ts';

interface ForestModel {
  readonly bytes: number;
  readonly nodes: number;
  readonly input: string;
  readonly labels: readonly number[];
  /** Of both classes, a row each, as ONNX Runtime computes them in Python. */
  readonly probabilities: readonly (readonly number[])[];
  readonly maxDifferenceToScikit: number;
}

/** What bench/rig/forest.py writes. */
interface ForestFile {
  readonly features: number;
  readonly trees: number;
  readonly depth: number;
  readonly trainingRows: number;
  readonly seeds: Readonly<Record<string, number>>;
  readonly rows: readonly (readonly number[])[];
  readonly models: Readonly<Record<string, ForestModel>>;
}

export interface Forest extends ForestFile {
  /** Path of `forest-1` (stable), `forest-2` (canary) or `joined` (24 features). */
  file(name: string): string;
}

const FOLDER = join(CACHE, 'bench-forest');
const MAKER = join(ROOT, 'bench/rig/forest.py');

/** The models and rows of the gateway benchmarks, made once by each version of their maker. */
export async function ensureForest(): Promise<Forest> {
  await ensureBenchPython();
  const [file, stamp] = [join(FOLDER, 'forest.json'), join(FOLDER, '.maker')];
  const maker = createHash('sha256').update(readFileSync(MAKER)).digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== maker) {
    mkdirSync(FOLDER, { recursive: true });
    await step('random forests', () => must(python, [MAKER, FOLDER]));
    writeFileSync(stamp, maker);
  }
  const made = JSON.parse(readFileSync(file, 'utf8')) as ForestFile;
  return { ...made, file: (name) => join(FOLDER, `${name}.onnx`) };
}

/** The V2 request for one row: the same bytes for every server. */
export function inferBody(forest: Forest, row: number): string {
  return JSON.stringify({
    // The sticky key of the canary; a server without one ignores it.
    parameters: { customer: `customer-${row}` },
    inputs: [
      {
        name: forest.models['forest-1']!.input,
        shape: [1, forest.features],
        datatype: 'FP32',
        data: forest.rows[row],
      },
    ],
  });
}
