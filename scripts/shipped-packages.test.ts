import { expect, test } from 'vitest';
import {
  declaredScripts,
  problemsOf,
  readLock,
  shippedPackages,
  webImports,
  type Lock,
} from './shipped-packages.ts';

const shipped = shippedPackages(readLock(), webImports());

test('everything shipped has a permissive licence and declares its install script', () => {
  expect(problemsOf(shipped, declaredScripts())).toEqual([]);
});

test('every install script of the lock is declared, and none that is gone', () => {
  const scripts = Object.entries(readLock().packages).filter(([, it]) => it.hasInstallScript);
  const names = scripts.map(([path]) => path.replace('node_modules/', ''));
  expect([...declaredScripts()].sort()).toEqual(names.sort());
});

test('what is shipped is what is installed and what the pages contain, and no tool', () => {
  const kinds = new Map(shipped.map(({ name, isBundled }) => [name, isBundled]));
  expect(kinds.get('fastify')).toBe(false);
  expect(kinds.get('onnxruntime-node')).toBe(false);
  expect(kinds.get('zod')).toBe(false);
  expect(kinds.get('react')).toBe(true);
  expect(kinds.get('echarts')).toBe(true);
  expect(kinds.get('vitest')).toBe(undefined);
});

const LOCK: Lock = {
  packages: {
    '': { version: '1.0.0', dependencies: { a: '1', wide: '1' } },
    'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { b: '2' } },
    'node_modules/a/node_modules/b': { version: '2.0.0', license: 'GPL-3.0' },
    'node_modules/b': { version: '1.0.0', license: 'MIT' },
    'node_modules/wide': { version: '1.0.0', license: 'ISC', optionalDependencies: { gone: '1' } },
    'node_modules/page': { version: '3.0.0', hasInstallScript: true, peerDependencies: { b: '1' } },
  },
};

test('follows each package to the version that it gets', () => {
  const found = shippedPackages(LOCK, ['page']);
  expect(found.map(({ name, version, isBundled }) => [name, version, isBundled])).toEqual([
    ['a', '1.0.0', false],
    ['b', '2.0.0', false],
    ['b', '1.0.0', true],
    ['page', '3.0.0', true],
    ['wide', '1.0.0', false],
  ]);
});

test('tells of another licence, of none, and of an install script that nobody declared', () => {
  expect(problemsOf(shippedPackages(LOCK, ['page']), new Set())).toEqual([
    'b@2.0.0: licence GPL-3.0 is not on the list',
    'page@3.0.0: licence unknown is not on the list',
    'page@3.0.0: its install script is not declared in allowScripts of package.json',
  ]);
});
