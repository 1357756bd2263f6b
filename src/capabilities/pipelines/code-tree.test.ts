import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { present } from '../../base/assert.ts';
import { MICROS_PER_MS } from '../../base/time.ts';
import { processEnv, sleep, systemClock } from '../../platform/system.ts';
import { gitCodeTree, listedCodeTree, UNTRACKED_BYTES_MAX } from './code-tree.ts';

let root: string;
const env = {
  ...processEnv,
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mw-tree-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: root, env, encoding: 'utf8' });
}

function write(name: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

async function tree(exclude: string[] = []) {
  const found = await gitCodeTree({
    root,
    exclude: exclude.map((file) => path.join(root, file)),
    temporaryFolder: tmpdir(),
    env,
  });
  return present(found, 'the tree');
}

function repository(): void {
  git('init', '--quiet');
  write('train.py', 'print(1)\n');
  write('.gitignore', '*.log\n');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
}

const files = (id: string): readonly string[] =>
  git('ls-tree', '-r', '--name-only', id).trim().split('\n');

describe('the tree of a repository', () => {
  test('without changes is that of its commit', async () => {
    repository();
    expect(await tree()).toEqual({
      tree: git('rev-parse', 'HEAD^{tree}').trim(),
      commit: git('rev-parse', 'HEAD').trim(),
      leftOut: [],
    });
  });

  test('holds what is not committed, and changes nothing of the user’s', async () => {
    repository();
    write('train.py', 'print(2)\n');
    write('new/helper.py', 'x = 1\n');
    write('run.log', 'ignored');
    write('staged.py', 'y');
    git('add', 'staged.py');
    const before = git('status', '--porcelain');
    const { tree: id } = await tree();
    expect(files(id)).toEqual(['.gitignore', 'new/helper.py', 'staged.py', 'train.py']);
    expect(git('show', `${id}:train.py`)).toBe('print(2)\n');
    expect(git('status', '--porcelain')).toBe(before);
    expect((await tree()).tree).toBe(id);
    // Named, so that git keeps it for a rerun in months.
    expect(git('rev-parse', `refs/millwright/trees/${id}`).trim()).toBe(id);
  });

  test('holds an edit of the same length in the second of the last `git add`', async () => {
    await sleep(1000 - ((systemClock.wall() / MICROS_PER_MS) % 1000));
    repository();
    write('train.py', 'print(2)\n');
    await sleep(1000);
    const { tree: id } = await tree();
    expect(git('show', `${id}:train.py`)).toBe('print(2)\n');
  });

  test('leaves out what stages make, and large files that nobody ignored', async () => {
    repository();
    write('out/model.bin', 'm');
    write('[odd] name*.bin', 'm');
    write('big.csv', '');
    truncateSync(path.join(root, 'big.csv'), UNTRACKED_BYTES_MAX + 1);
    const found = await tree(['out', '[odd] name*.bin']);
    expect(files(found.tree)).toEqual(['.gitignore', 'train.py']);
    expect(found.leftOut).toEqual(['big.csv']);
  });

  test('leaves out what stages make that git ignores as well', async () => {
    repository();
    write('.gitignore', '*.log\n/out/\n/data/*\n!/data/pin.json\n');
    write('out/model.bin', 'm');
    write('data/rows.csv', 'r');
    write('data/pin.json', 'p');
    const made = ['out/model.bin', 'data/rows.csv', 'data/pin.json', 'out/none', 'run.log'];
    const found = await tree([...made, 'out']);
    expect(files(found.tree)).toEqual(['.gitignore', 'train.py']);
  });

  test('is there before the first commit', async () => {
    git('init', '--quiet');
    write('a.py', '1');
    const found = await tree();
    expect(found.commit).toBeNull();
    expect(files(found.tree)).toEqual(['a.py']);
  });

  test('is none without git', async () => {
    const options = { root, exclude: [], temporaryFolder: tmpdir(), env };
    expect(await gitCodeTree(options)).toBeNull();
  });
});

test('without git the dependencies stand for the code, in any order', () => {
  const a = { path: 'a.py', md5: '1', size: 1 };
  const b = { path: 'b.py', md5: '2', size: 1 };
  expect(listedCodeTree([a, b])).toEqual(listedCodeTree([b, a]));
  expect(listedCodeTree([a]).tree).not.toBe(listedCodeTree([b]).tree);
});
