import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { graph } from '../src/capabilities/graph.ts';
import { ADAPTERS, adapterRule, nativeRule } from './tidy/adapters.ts';
import { banRule, sqlClockRule } from './tidy/bans.ts';
import { browserRule, PAGE_LISTS } from './tidy/browser.ts';
import { edgeRule, graphOf, graphRule, shapeRule, SHOWN_TYPES } from './tidy/capabilities.ts';
import { changelogRule } from './tidy/changelog.ts';
import {
  examplesRule,
  formatsRule,
  PLATFORM_PAIRS,
  platformRule,
  tierRule,
} from './tidy/direction.ts';
import { everyTestRule, formRule } from './tidy/forms.ts';
import { nameRule } from './tidy/names.ts';
import { format, type Rule } from './tidy/rule.ts';
import { fileBytesRule, fileLengthRule, functionLengthRule, widthRule } from './tidy/size.ts';
import { tableRule } from './tidy/tables.ts';
import { plantedTree, readTree } from './tidy/tree.ts';
import { hostRule, machinePathRule, promiseRule } from './tidy/words.ts';

const RULES: readonly Rule[] = [
  tierRule,
  formatsRule,
  platformRule,
  examplesRule,
  graphRule,
  edgeRule,
  shapeRule,
  browserRule,
  adapterRule,
  nativeRule,
  nameRule,
  fileLengthRule,
  fileBytesRule,
  functionLengthRule,
  widthRule,
  banRule,
  sqlClockRule,
  formRule,
  everyTestRule,
  promiseRule,
  hostRule,
  machinePathRule,
  tableRule,
  changelogRule,
];

const tree = readTree(fileURLToPath(new URL('..', import.meta.url)));

describe('the house rules hold', () => {
  test.each(RULES)('$name', (rule) => {
    const found = rule.check(tree).map((it) => format(rule, it));
    expect(found, found.join('\n')).toEqual([]);
  });
});

describe('the rules see', () => {
  test('sources, and imports between them', () => {
    const edges = tree.under('src/').flatMap((file) => file.imports.filter((it) => it.target));
    expect(edges.length).toBeGreaterThan(10);
    const aimless = edges.filter((it) => tree.file(it.target!) === undefined);
    expect(aimless.map((it) => it.target)).toEqual([]);
  });

  test('the graph that the program has', () => {
    expect(Object.fromEntries(graphOf(tree)!.edges)).toEqual(graph);
  });

  test('lists of exceptions that hold nothing which is gone', () => {
    const paths = tree.under('src/').map((file) => file.path);
    const missing = [
      ...PAGE_LISTS,
      ...ADAPTERS.map((start) => `src/platform/${start}`),
      ...Object.entries(SHOWN_TYPES).flatMap(([capability, names]) =>
        names.map((name) => `src/capabilities/${capability}/${name}`),
      ),
      ...PLATFORM_PAIRS.flatMap(({ from, to }) => [`src/platform/${from}/`, `src/platform/${to}/`]),
    ].filter((start) => !paths.some((path) => path.startsWith(start)));
    expect(missing).toEqual([]);
  });

  const plants = RULES.flatMap((rule) =>
    rule.plants.map((plant, index) => ({ rule, plant, title: `${rule.name} ${index + 1}` })),
  );
  test.each(plants)('what is planted: $title', ({ rule, plant }) => {
    const found = rule.check(plantedTree(plant.files));
    expect(found.map((it) => `${it.path}:${it.line}`)).toEqual([plant.at]);
  });

  const allowed = RULES.flatMap((rule) =>
    (rule.allows ?? []).map((files, index) => ({
      rule,
      files,
      title: `${rule.name} ${index + 1}`,
    })),
  );
  test.each(allowed)('nothing wrong where nothing is: $title', ({ rule, files }) => {
    expect(rule.check(plantedTree(files))).toEqual([]);
  });

  test('new files before they are committed, and none that git ignores', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidy-'));
    try {
      execFileSync('git', ['init', '--quiet'], { cwd: folder });
      writeFileSync(join(folder, '.gitignore'), 'ignored.ts\n');
      writeFileSync(join(folder, 'ignored.ts'), '');
      writeFileSync(join(folder, 'new.ts'), '');
      expect(readTree(folder).code.map((file) => file.path)).toEqual(['new.ts']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('imports of every form, and which of them vanish at run time', () => {
    const file = plantedTree({
      'src/a/b.ts': [
        `import { x } from './value.ts';`,
        `import type { X } from './type.ts';`,
        `import { type Y } from './inline.ts';`,
        `import './effect.ts';`,
        `export { z } from '../z.ts';`,
        `export type { Z } from '../zt.ts';`,
        `type T = import('./import-type.ts').T;`,
        `await import('./dynamic.ts');`,
      ].join('\n'),
    }).file('src/a/b.ts')!;
    expect(file.imports.map((it) => [it.target, it.kind, it.line])).toEqual([
      ['src/a/value.ts', 'value', 1],
      ['src/a/type.ts', 'type', 2],
      ['src/a/inline.ts', 'value', 3],
      ['src/a/effect.ts', 'value', 4],
      ['src/z.ts', 'value', 5],
      ['src/zt.ts', 'type', 6],
      ['src/a/import-type.ts', 'type', 7],
      ['src/a/dynamic.ts', 'dynamic', 8],
    ]);
  });
});
