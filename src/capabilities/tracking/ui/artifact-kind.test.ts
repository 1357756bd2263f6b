import { describe, expect, it } from 'vitest';
import {
  artifactKind,
  foldersAbove,
  IMAGE_BYTES_MAX,
  previewText,
  TEXT_BYTES_MAX,
  whyNotShown,
} from './artifact-kind.ts';

describe('artifactKind', () => {
  it.each([
    ['metrics.json', 'json'],
    ['model/MLmodel', 'text'],
    ['model/requirements.txt', 'text'],
    ['plots/confusion.PNG', 'image'],
    ['model/model.onnx', null],
    ['json', null],
  ])('of %s is %s', (path, kind) => {
    expect(artifactKind(path)).toBe(kind);
  });
});

it('shows what is small, and says why the rest is not shown', () => {
  expect(whyNotShown('a.json', TEXT_BYTES_MAX)).toBeNull();
  expect(whyNotShown('a.json', TEXT_BYTES_MAX + 1)).toContain('up to 256 KiB');
  expect(whyNotShown('a.png', TEXT_BYTES_MAX + 1)).toBeNull();
  expect(whyNotShown('a.png', IMAGE_BYTES_MAX + 1)).toContain('up to 5 MiB');
  expect(whyNotShown('a.onnx', 10)).toContain('download it');
});

it('indents JSON and leaves what is none alone', () => {
  expect(previewText('json', '{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(previewText('json', '{"a":')).toBe('{"a":');
  expect(previewText('text', '{"a":[1]}')).toBe('{"a":[1]}');
});

it('names every folder above a file', () => {
  expect(foldersAbove('a/b/c.txt')).toEqual(['a', 'a/b']);
  expect(foldersAbove('c.txt')).toEqual([]);
});
