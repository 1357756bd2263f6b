import { globSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from './cli.ts';
import { EXAMPLES, leafCommands } from './command-examples.ts';

const WORDS = leafCommands(createProgram()).map(({ words }) => words);

/** The words of a command line as a shell would part them; what a shell adds is left out. */
function wordsOf(line: string): readonly string[] {
  const [command] = line.replace(/^source <\((.*)\)$/, '$1').split(' > ');
  return [...command!.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, ...parts]) => parts.join(''));
}

/** Which command a line calls, without doing what it does. */
async function called(line: string): Promise<string | null> {
  const program = createProgram();
  let found: string | null = null;
  for (const { words, command } of leafCommands(program)) {
    command.action(() => {
      found = words;
    });
  }
  quiet(program);
  const [name, ...rest] = wordsOf(line);
  expect(name, line).toBe('millwright');
  await program.parseAsync(rest, { from: 'user' });
  return found;
}

function quiet(command: Command): void {
  command.configureOutput({ writeErr: () => undefined });
  for (const child of command.commands) quiet(child);
}

test.each(WORDS)('%s has an example, which is a right call of it', async (words) => {
  expect(EXAMPLES[words] ?? [], words).not.toEqual([]);
  for (const line of EXAMPLES[words]!) expect(await called(line), line).toBe(words);
});

test('help shows the examples', () => {
  const { command } = leafCommands(createProgram()).find(({ words }) => words === 'tables append')!;
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  expect(help).toContain('Examples:\n  millwright tables append landings landings.parquet\n');
});

test('no example is left of a command that is gone', () => {
  expect(Object.keys(EXAMPLES).filter((words) => !WORDS.includes(words))).toEqual([]);
});

/** Commands that hints of the source name: `See them with: millwright endpoints ls`. */
function named(): readonly string[] {
  const files = globSync('src/**/*.ts').filter((file) => !file.endsWith('.test.ts'));
  const found = files.flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/: millwright ([a-z-]+(?: [a-z-]+)?)/g),
  ]);
  return [...new Set(found.map(([, words]) => words!))];
}

test('every command that a hint names is there', () => {
  const first = new Set(WORDS.map((words) => words.split(' ')[0]));
  const isThere = (words: string): boolean => {
    const [group = ''] = words.split(' ');
    return WORDS.includes(words) || WORDS.includes(group) || (words === group && first.has(group));
  };
  expect(named().length).toBeGreaterThan(10);
  expect(named().filter((words) => !isThere(words))).toEqual([]);
});
