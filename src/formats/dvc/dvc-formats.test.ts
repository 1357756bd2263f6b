import { describe, expect, test } from 'vitest';
import { directoryObject, readDirectoryObject } from './directory-object.ts';
import {
  entryFromText,
  entryToText,
  LockFile,
  selectParams,
  readParams,
  type LockEntry,
} from './lock-file.ts';
import { resolveStages } from './resolve-stages.ts';
import { inputChanges } from './stage-changes.ts';
import { StageGraph } from './stage-graph.ts';
import { commandsOf, type Stage } from './stage.ts';
import { isEqual, pythonFloat } from './value.ts';

function resolve(text: string, files: Readonly<Record<string, string>> = {}) {
  return resolveStages(text, (path) => Promise.resolve(files[path] ?? null));
}

async function one(text: string, files: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const [stage] = await resolve(text, files);
  return stage!;
}

describe('numbers', () => {
  test.each([
    [1, '1.0'],
    [0.1, '0.1'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [1.5e-7, '1.5e-07'],
    [1e16, '1e+16'],
    [1e15, '1000000000000000.0'],
    [123456.75, '123456.75'],
    [1e300, '1e+300'],
    [-0, '-0.0'],
    [1 / 3, '0.3333333333333333'],
  ])('%d is %s in Python', (value, text) => {
    expect(pythonFloat(value)).toBe(text);
  });

  test('1 equals 1.0, as it does in Python', () => {
    expect(isEqual(1n, 1)).toBe(true);
    expect(isEqual({ a: [1n, 2.5] }, { a: [1, 2.5] })).toBe(true);
    expect(isEqual('1', 1n)).toBe(false);
  });
});

test('a directory object is Python’s JSON in the order of code points', () => {
  const { oid, text } = directoryObject([
    { relpath: 'b/\u{1f600}.txt', md5: 'b'.repeat(32) },
    { relpath: 'b/\ue000.txt', md5: 'c'.repeat(32) },
    { relpath: 'a"\u007f.txt', md5: 'a'.repeat(32) },
  ]);
  expect(text).toBe(
    `[{"md5": "${'a'.repeat(32)}", "relpath": "a\\"\\u007f.txt"}, ` +
      `{"md5": "${'c'.repeat(32)}", "relpath": "b/\\ue000.txt"}, ` +
      `{"md5": "${'b'.repeat(32)}", "relpath": "b/\\ud83d\\ude00.txt"}]`,
  );
  expect(oid).toMatch(/^[0-9a-f]{32}\.dir$/);
});

describe('stages', () => {
  test('carry everything that is written', async () => {
    const stage = await one(`
stages:
  train:
    desc: trains
    cmd: python train.py
    wdir: src
    deps: [train.py, ../data]
    params: [lr, model.depth, {conf/more.yaml: [a, b]}, {whole.json: null}]
    outs: [model.pkl, {tmp: {cache: false, persist: true}}]
    metrics: [{metrics.json: {cache: false}}]
    plots: [{roc.csv: {x: fpr, y: tpr}}]
    always_changed: true
`);
    expect(stage).toEqual({
      name: 'train',
      description: 'trains',
      cmd: 'python train.py',
      wdir: 'src',
      deps: ['train.py', '../data'],
      params: [
        { file: 'params.yaml', keys: ['lr', 'model.depth'] },
        { file: 'conf/more.yaml', keys: ['a', 'b'] },
        { file: 'whole.json', keys: null },
      ],
      outs: [
        { path: 'model.pkl', isCached: true, isPersistent: false },
        { path: 'tmp', isCached: false, isPersistent: true },
        { path: 'metrics.json', isCached: false, isPersistent: false },
        { path: 'roc.csv', isCached: true, isPersistent: false },
      ],
      isFrozen: false,
      isAlwaysChanged: true,
    });
  });

  test('take values from parameters and vars', async () => {
    const stage = await one(
      `
vars: [{base: data}, conf.yaml:model]
stages:
  train:
    cmd: python train.py --lr \${lr} --flag \${on} --n \${sizes[1]} \\\${HOME} \${args}
    deps: ["\${base}/in.csv"]
    outs: ["\${model.name}.pkl"]
`,
      {
        'params.yaml':
          'lr: 1e-5\non: true\nsizes: [1, 2]\nargs: {a: x y, b: [1, 2.0], c: true, d: false}',
        'conf.yaml': 'model: {name: big}\nother: 1',
      },
    );
    expect(stage.cmd).toBe(
      "python train.py --lr 1e-05 --flag true --n 2 ${HOME} --a 'x y' --b 1 2.0 --c",
    );
    expect(stage.deps).toEqual(['data/in.csv']);
    expect(stage.outs[0]?.path).toBe('big.pkl');
  });

  test('take no date without quotes, which DVC fails on', async () => {
    const failed = resolve('stages: {t: {cmd: x}}', { 'params.yaml': 'a: [2001-02-03]' });
    await expect(failed).rejects.toThrow('params.yaml: 2001-02-03 is a date without quotes');
    await resolve('stages: {t: {cmd: x}}', { 'params.yaml': 'a: ["2001-02-03"]' });
  });

  test('are spelled out of foreach and matrix', async () => {
    const stages = await resolve(`
stages:
  a: { foreach: [x, 2], do: { cmd: "echo \${item}" } }
  b: { foreach: { k: { v: 1 } }, do: { cmd: "echo \${key} \${item.v}" } }
  c: { matrix: { m: [p, q], n: [{ z: 1 }] }, cmd: "echo \${item.m} \${item.n.z} \${key}" }
`);
    expect(stages.map(({ name, cmd }) => [name, cmd])).toEqual([
      ['a@x', 'echo x'],
      ['a@2', 'echo 2'],
      ['b@k', 'echo k 1'],
      ['c@p-n0', 'echo p 1 p-n0'],
      ['c@q-n0', 'echo q 1 q-n0'],
    ]);
  });

  test('of several lines run line by line', () => {
    expect(commandsOf({ cmd: 'a\n\nb' })).toEqual(['a', 'b']);
  });

  test.each([
    ['stages: {t: {cmd: x, dpes: [a]}}', 'dvc.yaml:1:22: stages.t.dpes: is not supported here'],
    ['stages: {t: {deps: [a]}}', 'stages.t.cmd'],
    ['datasets: []\nstages: {}', 'datasets: is not supported'],
    ['stages: {t: {cmd: x, outs: [{m: {checkpoint: true}}]}}', 'checkpoint'],
    ['stages: {t: {cmd: "x ${nope}"}}', '${nope}: there is no nope'],
    ['stages: {"a b": {cmd: x}}', 'a stage name has'],
    ['stages: {t: {cmd: x}', 'dvc.yaml:1:'],
    ['vars: [p.toml]\nstages: {t: {cmd: x}}', 'TOML or Python'],
    ['vars: [{a: 1}, {a: 2}]\nstages: {t: {cmd: x}}', 'a is defined already'],
    ['- 1', 'dvc.yaml:1:1: file'],
  ])('refuse %j by name and place', async (text, message) => {
    const failed = resolve(text);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toMatchObject({ code: 'INVALID_PIPELINE' });
  });
});

describe('the graph', () => {
  const text = `
stages:
  report: { cmd: r, deps: [model/weights.bin, metrics.json], outs: [report.html] }
  train: { cmd: t, deps: [data], outs: [model], metrics: [metrics.json] }
  prepare: { cmd: p, deps: [raw.csv], outs: [data] }
  other: { cmd: o, outs: [x] }
`;

  test('orders what a target needs, by paths and what lies in them', async () => {
    const graph = new StageGraph(await resolve(text));
    expect(graph.order(['report']).map(({ name }) => name)).toEqual(['prepare', 'train', 'report']);
    expect(graph.order([]).map(({ name }) => name)).toEqual([
      'prepare',
      'train',
      'report',
      'other',
    ]);
  });

  test.each([
    ['{a: {cmd: x, outs: [o]}, b: {cmd: y, outs: [o]}}', 'a and b both write o'],
    ['{a: {cmd: x, outs: [o]}, b: {cmd: y, outs: [o-2, o/p]}}', 'a and b both write o/p'],
    ['{a: {cmd: x, deps: [q], outs: [o]}, b: {cmd: y, deps: [o], outs: [q]}}', 'a -> b -> a'],
    ['{a: {cmd: x, deps: [o/in], outs: [o]}}', 'its own output'],
    ['{a: {cmd: x, deps: [../q]}}', 'outside the project'],
    ['{a: {cmd: x, deps: ["s3://b/k"]}}', 'outside the project'],
  ])('refuses %s', async (stages, message) => {
    const resolved = await resolve(`stages: ${stages}`);
    expect(() => new StageGraph(resolved)).toThrow(message);
  });

  test.each([
    ['outs: [.]', 'out .: it is the project itself'],
    ["outs: ['']", 'it is the project itself'],
    ['wdir: a, outs: [..]', 'out ..: it is the project itself'],
    ['wdir: a, outs: [../..]', 'lies outside the project'],
    ['outs: [x/../.git]', 'it overlaps .git'],
    ['outs: [.dvc/tmp]', 'it overlaps .dvc'],
    ['metrics: [dvc.yaml]', 'it overlaps dvc.yaml'],
    ['outs: [{dvc.lock: {persist: true}}]', 'it overlaps dvc.lock'],
    ['outs: [millwright.yaml]', 'it overlaps millwright.yaml'],
    ['outs: [var]', 'it overlaps var/state'],
    ['outs: [var/state/x]', 'it overlaps var/state'],
  ])('write nothing that the project is made of: %s', async (fields, message) => {
    const resolved = await resolve(`stages: {t: {cmd: x, ${fields}}}`);
    expect(() => new StageGraph(resolved, ['var/state'])).toThrow(message);
  });

  test('names a stage near to one that does not exist', async () => {
    const graph = new StageGraph(await resolve(text));
    expect(() => graph.order(['trian'])).toThrow('no stage trian');
  });
});

describe('the lock file', () => {
  const entry: LockEntry = {
    cmd: 'python train.py',
    deps: [
      { path: 'train.py', md5: 'a'.repeat(32), size: 12 },
      { path: 'data', md5: `${'b'.repeat(32)}.dir`, size: 40, nfiles: 2 },
    ],
    params: { 'z.yaml': { b: 1n }, 'params.yaml': { 'model.lr': 1, depth: 3n, name: 'yes' } },
    outs: [{ path: 'model.pkl', md5: 'c'.repeat(32), size: 5, isexec: true }],
  };

  test('is written in DVC’s own form', () => {
    expect(new LockFile(null).with('train', entry)).toBe(`schema: '2.0'
stages:
  train:
    cmd: python train.py
    deps:
    - path: data
      hash: md5
      md5: ${'b'.repeat(32)}.dir
      size: 40
      nfiles: 2
    - path: train.py
      hash: md5
      md5: ${'a'.repeat(32)}
      size: 12
    params:
      params.yaml:
        depth: 3
        model.lr: 1.0
        name: yes
      z.yaml:
        b: 1
    outs:
    - path: model.pkl
      hash: md5
      md5: ${'c'.repeat(32)}
      size: 5
      isexec: true
`);
  });

  test('keeps other stages and comments', () => {
    const before = `# ours\nschema: '2.0'\nstages:\n  prepare:\n    cmd: p # why\n`;
    const after = new LockFile(before).with('train', entry);
    expect(after).toContain('# ours');
    expect(after).toContain('cmd: p # why');
    expect(new LockFile(after).entry('train')).not.toBeNull();
  });

  test('gives back what was written', () => {
    expect(entryFromText(entryToText(entry))?.params).toEqual(entry.params);
  });

  test('of DVC 2 has no entry that counts', () => {
    const old = `schema: '2.0'\nstages:\n  t:\n    cmd: x\n    outs:\n    - path: o\n      md5: ${'a'.repeat(32)}\n      size: 1\n`;
    expect(new LockFile(old).entry('t')).toBeNull();
    expect(() => new LockFile('stages: {}')).toThrow('schema');
  });

  test.each(['../../../etc/passwd', '', 'A'.repeat(32), `${'a'.repeat(32)}.dir/x`])(
    'takes no hash that is none: %j',
    (md5) => {
      const text = `schema: '2.0'\nstages:\n  t:\n    cmd: x\n    outs:\n    - {path: o, hash: md5, md5: '${md5}'}\n`;
      expect(() => new LockFile(text)).toThrow(/dvc\.lock:6.*md5/);
      const entries = JSON.stringify([{ md5, relpath: 'f' }]);
      expect(() => readDirectoryObject(entries, 'abc.dir')).toThrow('abc.dir');
    },
  );

  test('tells what changed since', () => {
    const stage: Stage = {
      name: 'train',
      cmd: 'python train.py',
      wdir: '.',
      deps: ['train.py', 'data'],
      params: [{ file: 'params.yaml', keys: ['model.lr', 'depth', 'name'] }],
      outs: [],
      isFrozen: false,
      isAlwaysChanged: false,
      description: '',
    };
    const now = { deps: entry.deps, params: { 'params.yaml': entry.params['params.yaml']! } };
    expect(inputChanges(stage, entry, now)).toEqual([]);
    const changed = {
      deps: [{ ...entry.deps[0]!, md5: 'f'.repeat(32) }],
      params: { 'params.yaml': { 'model.lr': 0.05, depth: 3n } },
    };
    expect(inputChanges({ ...stage, cmd: 'python t.py' }, entry, changed)).toEqual([
      'cmd changed',
      'dep train.py changed',
      'dep data is missing',
      'params.model.lr changed 1.0 -> 0.05',
      'params.name is missing',
    ]);
  });

  test('asks parameters files by dotted keys', () => {
    const file = readParams('{"a": {"b": [10, 2.5]}, "c": null}', 'p.json');
    expect(selectParams(file, ['a.b.1', 'c', 'a.x'])).toEqual({
      values: { 'a.b.1': 2.5, c: null },
      missing: ['a.x'],
    });
  });
});
