import { describe, expect, test } from 'vitest';
import { readRequirementsLock } from './requirements-lock.ts';

const HASH = `--hash=sha256:${'a'.repeat(64)}`;

describe('a lock', () => {
  test('lists its packages with their lines', () => {
    const text = [
      '# made by a tool',
      '--index-url https://example.com/simple',
      `numpy==2.4.6 \\`,
      `    ${HASH} \\`,
      `    ${HASH}`,
      '    # via pandas',
      `typing_extensions==4.0 ; python_version < "3.13" ${HASH}`,
      `pkg @ https://example.com/pkg-1.whl ${HASH}`,
      '',
    ].join('\n');
    expect(readRequirementsLock(text, 'l')).toEqual([
      { name: 'numpy', text: 'numpy==2.4.6', line: 3 },
      {
        name: 'typing-extensions',
        text: 'typing_extensions==4.0 ; python_version < "3.13"',
        line: 7,
      },
      { name: 'pkg', text: 'pkg @ https://example.com/pkg-1.whl', line: 8 },
    ]);
  });

  test.each([
    ['numpy==1.0', 'l:1: numpy==1.0 has no hash'],
    [`\nnumpy>=1.0 ${HASH}`, 'l:2: numpy>=1.0 has no exact version'],
    ['-r other.txt', 'l:1: -r is not supported in a lock'],
    ['-e .', 'l:1: -e is not supported'],
  ])('%j is refused by line', (text, message) => {
    expect(() => readRequirementsLock(text, 'l')).toThrow(message);
  });
});
