import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assert } from '../../src/base/assert.ts';
import { directoryObject } from '../../src/formats/dvc/directory-object.ts';
import { entryFromText, LockFile, type LockEntry } from '../../src/formats/dvc/lock-file.ts';
import { isEqual, pythonFloat, YamlTime, type DvcValue } from '../../src/formats/dvc/value.ts';
import { python } from './python.ts';

/** What DVC hashes and compares is Python's text and Python's values, to the last byte. */

const MINUTE = 60_000;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-dvc-text-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a value to Python as JSON and takes one back; `f(value)` is the Python given. */
async function inPython(value: unknown, source: string): Promise<unknown> {
  const [input, output] = [path.join(folder, 'in.json'), path.join(folder, 'out.json')];
  writeFileSync(input, JSON.stringify(value));
  const program = `import json, sys\n${source}\njson.dump(f(json.load(open(sys.argv[1]))), open(sys.argv[2], 'w'))`;
  await python(program, { args: [input, output] });
  return JSON.parse(readFileSync(output, 'utf8'));
}

test(
  'floats have the text that Python gives them',
  async () => {
    const doubles = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 3000);
    const bits = doubles.map((value) => {
      const view = Buffer.alloc(8);
      view.writeDoubleBE(value);
      return view.toString('hex');
    });
    const source =
      'import struct\ndef f(all): return [repr(struct.unpack(">d", bytes.fromhex(x))[0]) for x in all]';
    expect(doubles.map(pythonFloat)).toEqual(await inPython(bits, source));
  },
  MINUTE,
);

test(
  'directories have the text and the hash that DVC gives them',
  async () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 8 })
      .filter((text) => text.isWellFormed());
    const entries = fc.record({ relpath: name, md5: fc.constant('0'.repeat(32)) });
    const unique = { selector: (it: { relpath: string }) => it.relpath, maxLength: 20 };
    const folders = fc.sample(fc.uniqueArray(entries, unique), 500);
    const source =
      'import hashlib\n' +
      'def one(all):\n' +
      '    text = json.dumps(sorted(all, key=lambda e: e["relpath"]), sort_keys=True)\n' +
      '    return {"oid": hashlib.md5(text.encode()).hexdigest() + ".dir", "text": text}\n' +
      'def f(folders): return [one(all) for all in folders]';
    expect(folders.map(directoryObject)).toEqual(await inPython(folders, source));
  },
  MINUTE,
);

const value = fc.letrec<{ value: DvcValue; leaf: DvcValue }>((tie) => ({
  leaf: fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.constantFrom('2001-02-03', '2001-02-03 04:05:06', '1_000', '0b11', '=', '010', '.5'),
    fc.constantFrom('yes', 'null', '1', '1.0', '1e3', '0x1f', '~', '- a', 'a: b', '#', '', ' '),
  ),
  value: fc.oneof(
    { maxDepth: 3 },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), tie('value'), { maxKeys: 3 }),
  ),
})).value;

test(
  'whatever a lock file is given it gives back, here and to the parser of DVC',
  async () => {
    const params = fc.sample(fc.dictionary(fc.stringMatching(/^[a-z.]{1,8}$/), value), 200);
    const entries = params.map((of): LockEntry => ({
      cmd: 'x',
      deps: [],
      params: { 'params.yaml': of },
      outs: [],
    }));
    const texts = entries.map((entry) => new LockFile(null).with('stage', entry));
    for (const [index, text] of texts.entries()) {
      const back = entryFromText(text)?.params['params.yaml'];
      expect(isEqual(back ?? {}, params[index]), text).toBe(true);
    }
    const source =
      'from dvc.utils.serialize import parse_yaml\n' +
      'def show(v):\n' +
      '    if isinstance(v, dict): return {k: show(x) for k, x in v.items()}\n' +
      '    if isinstance(v, list): return [show(x) for x in v]\n' +
      '    if isinstance(v, str): return "s" + v\n' +
      '    return type(v).__name__ + repr(v)\n' +
      'def f(texts): return [show(parse_yaml(t, "x")["stages"]["stage"].get("params", {}).get("params.yaml", {})) for t in texts]';
    expect(params.map(shown)).toEqual(await inPython(texts, source));
  },
  MINUTE,
);

/** Types and values as the Python above shows them. */
function shown(it: DvcValue): unknown {
  if (it === null) return 'NoneTypeNone';
  if (typeof it === 'boolean') return it ? 'boolTrue' : 'boolFalse';
  if (typeof it === 'bigint') return `int${it}`;
  if (typeof it === 'number') return `float${pythonFloat(it)}`;
  if (typeof it === 'string') return `s${it}`;
  if (Array.isArray(it)) return it.map(shown);
  assert(!(it instanceof YamlTime), 'no times are generated');
  return Object.fromEntries(Object.entries(it).map(([key, inner]) => [key, shown(inner)]));
}
