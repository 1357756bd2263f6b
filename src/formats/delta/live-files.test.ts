import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AddFile } from './actions.ts';
import { LiveFiles } from './live-files.ts';

function fileAt(path: string): AddFile {
  return { path, partitionValues: {}, size: 1, modificationTime: 0, dataChange: true };
}

test('every version keeps its own files, whichever version others grew from', () => {
  const growth = fc.array(fc.record({ from: fc.nat(), adds: fc.integer({ min: 0, max: 3 }) }));
  fc.assert(
    fc.property(growth, (steps) => {
      const versions = [{ files: LiveFiles.of(new Map()), paths: [] as readonly string[] }];
      let made = 0;
      for (const { from, adds } of steps) {
        const base = versions[from % versions.length]!;
        const added = Array.from({ length: adds }, () => `${(made += 1)}`);
        const paths = [...base.paths, ...added];
        versions.push({ files: base.files.and(added.map(fileAt)), paths });
      }
      const everything = Array.from({ length: made }, (_, index) => `${index + 1}`);
      for (const { files, paths } of versions) {
        expect([...files.keys()]).toEqual(paths);
        expect([...files.values()].map(({ path }) => path)).toEqual(paths);
        expect(files.size).toBe(paths.length);
        expect(everything.filter((path) => files.has(path)).toSorted()).toEqual(paths.toSorted());
      }
    }),
  );
});
