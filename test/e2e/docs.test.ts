import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { docsSteps, printedAs } from './docs-page.ts';
import { DocsReader } from './docs-reader.ts';

/** Every page that tells its reader what to type is followed, command by command. */

const MINUTES_10 = 600_000;
const PAGES = [
  'start.md',
  'guides/your-own-model.md',
  'guides/mlflow-scripts.md',
  'guides/features.md',
  'guides/pipelines.md',
  'guides/watch-retrain-roll-back.md',
  'guides/backup.md',
] as const;
let reader: DocsReader;

beforeEach(async () => {
  reader = await DocsReader.open();
});

afterEach(async () => {
  await reader.close();
});

test.each(PAGES)(
  'docs/%s does what it says',
  async (page) => {
    expect(docsSteps(page).length).toBeGreaterThan(3);
    await reader.follow(page);
  },
  MINUTES_10,
);

test('every link between pages leads to a file', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md')];
  const links = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => ({
      page,
      target: path.join(path.dirname(page), link!),
    })),
  );
  expect(links.length).toBeGreaterThan(15);
  expect(links.filter(({ target }) => !existsSync(target))).toEqual([]);
});

test('a page that shows what was not printed is found', () => {
  expect(printedAs('run run_…   auc 0.7\n…\nlast', 'run run_1   auc 0.7\na\nb\nlast\n')).toBe(true);
  expect(printedAs('run run_…   auc 0.7\nlast', 'run run_1   auc 0.7\na\nlast\n')).toBe(false);
  expect(printedAs('auc 0.7', 'auc 017')).toBe(false);
  expect(printedAs('one\ntwo', 'one\n')).toBe(false);
});
