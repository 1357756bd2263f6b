import { ensurePython } from '../../scripts/python.ts';
import { step } from '../../scripts/progress.mjs';
import { run } from '../../scripts/run.ts';

/** The interpreter with the foreign programs that the tests speak with, MLflow among them. */
export async function conformancePython(): Promise<string> {
  return await step('Python clients', () => ensurePython());
}

export async function versionOf(python: string, name: string): Promise<string> {
  const code = 'import sys, importlib.metadata as m; print(m.version(sys.argv[1]))';
  return (await run(python, ['-c', code, name])).output.trim();
}
