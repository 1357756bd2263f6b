import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readArtifactPath, readUrlPath } from './artifact-path.ts';
import { readModelSource } from './uri.ts';

const name = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter(isPlain);

/** A name of a file that is nothing else in any encoding. */
function isPlain(text: string): boolean {
  // oxlint-disable-next-line eslint/no-control-regex -- they are what is refused
  return !/[\u0000-\u001f\u007f/\\#%:]/.test(text) && text.trim() !== '..' && text !== '.';
}

test('plain paths are kept as they are, also through a URL', () => {
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (parts) => {
      const path = parts.join('/');
      expect(readArtifactPath(path)).toBe(path);
      expect(readUrlPath(parts.map(encodeURIComponent).join('/'))).toBe(path);
    }),
  );
});

test('a step upwards is found under any number of encodings', () => {
  const dots = fc.constantFrom('..', ' ..', '.. ');
  const around = fc.array(name, { maxLength: 3 });
  fc.assert(
    fc.property(around, dots, around, fc.nat({ max: 5 }), (before, up, after, rounds) => {
      let path = [...before, up, ...after].join('/');
      for (let round = 0; round < rounds; round += 1) {
        path = encodeURIComponent(path).replaceAll('.', '%2E');
      }
      expect(() => readArtifactPath(path)).toThrow();
    }),
  );
});

test('a model source is one of ours', () => {
  const id = '0'.repeat(32);
  expect(readModelSource(`runs:/${id}/model`)).toEqual({ kind: 'run', runId: id, path: 'model' });
  expect(readModelSource(`models:/m-${id}`)).toEqual({ kind: 'logged-model', modelId: `m-${id}` });
  const version = { kind: 'version', model: 'late', version: '3' };
  expect(readModelSource('models:/late/3')).toEqual(version);
  expect(readModelSource('mlflow-artifacts:/0/x')).toEqual({ kind: 'artifacts', path: '0/x' });
  for (const foreign of ['file:/etc', 's3://b/k', '/etc', 'models:/late@champion', '']) {
    expect(() => readModelSource(foreign)).toThrow('Invalid model version source');
  }
});
