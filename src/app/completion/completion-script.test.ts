import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createProgram } from '../cli.ts';
import { commandNodes } from './command-tree.ts';
import { completionScript } from './completion-script.ts';

const NODES = commandNodes(createProgram());

/** What bash offers for a line whose last word is being typed. */
function offered(...words: readonly string[]): readonly string[] {
  const list = words.map((word) => `'${word}'`).join(' ');
  const script = [
    completionScript('bash', NODES),
    `COMP_WORDS=(${list})`,
    `COMP_CWORD=${words.length - 1}`,
    '_millwright',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const printed = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  return printed.split('\n').filter((line) => line !== '');
}

test('bash completes commands, also below others', () => {
  expect(offered('millwright', 'mon')).toEqual(['monitors']);
  expect(offered('millwright', 'tables', '')).toEqual(
    expect.arrayContaining(['ls', 'create', 'append', '--state']),
  );
  expect(offered('millwright', '--json', 'tables', 'app')).toEqual(['append']);
});

test('bash completes options and the values that one may have', () => {
  expect(offered('millwright', 'tables', 'append', 'landings', '--b')).toEqual(['--batch']);
  expect(offered('millwright', 'up', '--clock', '')).toEqual(['live', 'replay']);
  expect(offered('millwright', 'monitors', 'history', 'late', '--kind', 'qu')).toEqual(['quality']);
});

test('bash leaves what is no word of ours to files', () => {
  expect(offered('millwright', 'tables', 'append', 'landings', 'da')).toEqual([]);
  expect(offered('millwright', '--config', 'mill')).toEqual([]);
});

test.each(['zsh', 'fish'] as const)('the script of %s has every command and option', (shell) => {
  const script = completionScript(shell, NODES);
  for (const { path, children, options } of NODES) {
    expect(script).toContain(`'${path}'`);
    for (const { word } of [...children, ...options]) {
      expect(script).toContain(shell === 'fish' ? word.replace(/^--/, '-l ') : `'${word}:`);
    }
  }
});
