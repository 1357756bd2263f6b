import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryTable } from '../../../test/contracts/memory-table.ts';
import { formatAction, type Action, type AddFile, type RemoveFile } from './actions.ts';
import { fileDifference } from './file-difference.ts';
import { commitName } from './log-names.ts';

function add(path: string, dataChange = true): Action {
  return { add: { path, partitionValues: {}, size: 1, modificationTime: 0, dataChange } };
}

function remove(path: string, dataChange = true): Action {
  return { remove: { path, deletionTimestamp: 0, dataChange } };
}

/** A log with these commits from version 1 on. */
function logOf(...commits: readonly (readonly Action[])[]): MemoryTable {
  const table = new MemoryTable();
  for (const [index, actions] of [[], ...commits].entries()) {
    table.files.set(
      commitName(index),
      actions.map((action) => `${formatAction(action)}\n`).join(''),
    );
  }
  return table;
}

async function between(table: MemoryTable, from: number, to: number, readsMoved = false) {
  const { added, removed } = await fileDifference(table, { from, to, readsMoved });
  const paths = (files: readonly (AddFile | RemoveFile)[]) => files.map(({ path }) => path);
  return { added: paths(added), removed: paths(removed) };
}

test('what was added in between and is gone again is no difference', async () => {
  const table = logOf([add('a')], [add('b')], [remove('b'), add('c')]);
  expect(await between(table, 1, 3)).toEqual({ added: ['c'], removed: [] });
  expect(await between(table, 2, 3)).toEqual({ added: ['c'], removed: ['b'] });
});

test('rows that compaction moved are found where they were', async () => {
  const moved = [remove('a', false), remove('b', false), add('ab', false)];
  const table = logOf([add('a')], [add('b')], moved, [add('c')]);
  expect(await between(table, 0, 4)).toEqual({ added: ['c', 'a', 'b'], removed: [] });
  expect(await between(table, 1, 3)).toEqual({ added: ['b'], removed: [] });
  expect(await between(table, 2, 3)).toEqual({ added: [], removed: [] });
  expect(await between(table, 1, 3, true)).toEqual({ added: ['ab'], removed: ['a'] });
});

test('a file that is only told anew is no difference', async () => {
  const table = logOf([add('a')], [add('a', false)]);
  expect(await between(table, 1, 2)).toEqual({ added: [], removed: [] });
});

test('a commit that log cleanup took is said to be gone', async () => {
  const table = logOf([add('a')], [add('b')]);
  table.files.delete(commitName(1));
  await expect(between(table, 0, 2)).rejects.toMatchObject({ code: 'TABLE_VERSION_NOT_FOUND' });
});

/** What a step does, with numbers that choose among the live files. */
const Step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), rows: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('delete' as const), at: fc.nat(100) }),
  fc.record({ kind: fc.constant('rewrite' as const), at: fc.nat(100) }),
  fc.record({
    kind: fc.constant('move' as const),
    at: fc.nat(100),
    count: fc.integer({ min: 1, max: 4 }),
  }),
);

type Files = ReadonlyMap<string, readonly number[]>;

test('the files make up for the difference in rows, whatever was moved', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { maxLength: 14 }), fc.nat(), fc.nat(), async (steps, a, b) => {
      const states: Files[] = [new Map()];
      const contents = new Map<string, readonly number[]>();
      const commits: Action[][] = [];
      let row = 0;
      for (const [index, step] of steps.entries()) {
        const live = new Map(states.at(-1));
        const names = [...live.keys()];
        const chosen = 'at' in step && names.length > 0 ? step.at % names.length : 0;
        const actions: Action[] = [];
        const write = (rows: readonly number[], dataChange: boolean): void => {
          const path = `f${index}`;
          contents.set(path, rows);
          live.set(path, rows);
          actions.push(add(path, dataChange));
        };
        const drop = (path: string, dataChange: boolean): readonly number[] => {
          const rows = live.get(path)!;
          live.delete(path);
          actions.push(remove(path, dataChange));
          return rows;
        };
        if (step.kind === 'append') {
          write(
            Array.from({ length: step.rows }, () => row++),
            true,
          );
        } else if (names.length > 0) {
          const count = step.kind === 'move' ? step.count : 1;
          const isMove = step.kind === 'move';
          const rows = names.slice(chosen, chosen + count).flatMap((name) => drop(name, !isMove));
          if (step.kind === 'rewrite') write([...rows.slice(1), row++], true);
          if (isMove) write(rows, false);
        }
        commits.push(actions);
        states.push(live);
      }
      const [from, to] = [a % states.length, b % states.length].toSorted((x, y) => x - y);
      const bag = (paths: Iterable<string>): number[] =>
        [...paths].flatMap((path) => contents.get(path)!).toSorted((x, y) => x - y);
      const table = logOf(...commits);
      for (const readsMoved of [false, true]) {
        const { added, removed } = await between(table, from!, to!, readsMoved);
        const [older, newer] = [states[from!]!.keys(), states[to!]!.keys()];
        expect(bag([...older, ...added])).toEqual(bag([...newer, ...removed]));
      }
      const onlyAppends = steps
        .slice(from, to)
        .every(({ kind }) => kind === 'append' || kind === 'move');
      const found = await between(table, from!, to!);
      if (onlyAppends) expect(found.removed).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
