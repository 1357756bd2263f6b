import type { CommandNode } from './command-tree.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that completes commands, options and their values; anything else is a file. */
export function completionScript(shell: Shell, nodes: readonly CommandNode[]): string {
  switch (shell) {
    case 'bash':
      return bash(nodes);
    case 'zsh':
      return zsh(nodes);
    case 'fish':
      return fish(nodes);
  }
}

/** Works with the bash 3.2 of macOS: no associative arrays. */
function bash(nodes: readonly CommandNode[]): string {
  const words = nodes.map(({ path, children, options }) => {
    const all = [...children, ...options].map(({ word }) => word).join(' ');
    return `    '${path}') echo '${all}' ;;`;
  });
  return [
    '# Completes millwright in bash: source <(millwright completion bash)',
    '_millwright_words() {',
    '  case "$1" in',
    ...words,
    '  esac',
    '}',
    '_millwright_values() {',
    '  case "$1" in',
    ...valued(nodes).map(({ at, choices }) => `    '${at}') echo '${choices.join(' ')}' ;;`),
    '    *) return 1 ;;',
    '  esac',
    '}',
    '_millwright() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" at="" word values i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word="${COMP_WORDS[i]}"',
    '    if [ -n "$(_millwright_words "$at $word")" ]; then at="$at $word"; fi',
    '  done',
    '  if values="$(_millwright_values "$at ${COMP_WORDS[COMP_CWORD - 1]}")"; then',
    '    COMPREPLY=($(compgen -W "$values" -- "$current"))',
    '  else',
    '    COMPREPLY=($(compgen -W "$(_millwright_words "$at")" -- "$current"))',
    '  fi',
    '}',
    'complete -o default -F _millwright millwright',
    '',
  ].join('\n');
}

function zsh(nodes: readonly CommandNode[]): string {
  const known = nodes.slice(1).map(({ path }) => `'${path}'`);
  const described = nodes.map(({ path, children, options }) => {
    const all = [...children, ...options].map(({ word, description }) =>
      quoted(`${word}:${description.replaceAll(':', String.raw`\:`)}`),
    );
    return `    ('${path}') words_here=(${all.join(' ')}) ;;`;
  });
  return [
    '#compdef millwright',
    '_millwright() {',
    '  local at="" word i',
    '  local -a words_here',
    '  for ((i = 2; i < CURRENT; i++)); do',
    '    word="${words[i]}"',
    '    case "$at $word" in',
    `      (${known.join('|')}) at="$at $word" ;;`,
    '    esac',
    '  done',
    '  case "$at ${words[CURRENT-1]}" in',
    ...valued(nodes).map(({ at, choices }) =>
      choices.length === 0
        ? `    ('${at}') _files; return ;;`
        : `    ('${at}') compadd ${choices.join(' ')}; return ;;`,
    ),
    '  esac',
    '  case "$at" in',
    ...described,
    '  esac',
    "  _describe 'millwright' words_here || _files",
    '}',
    // Sourced it registers itself; autoloaded it is called.
    'if [ "$funcstack[1]" = "_millwright" ]; then _millwright "$@"; else compdef _millwright millwright; fi',
    '',
  ].join('\n');
}

function fish(nodes: readonly CommandNode[]): string {
  const known = nodes.slice(1).map(({ path }) => `'${path}'`);
  const lines = nodes.flatMap(({ path, children, options }) => [
    ...children.map(
      ({ word, description }) =>
        `complete -c millwright -n "__millwright_at '${path}'" -f -a ${word} -d ${fishQuoted(description)}`,
    ),
    ...options.map(({ word, description, takesValue, choices }) => {
      const value = choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : takesValue ? ' -r' : '';
      const long = word.slice('--'.length);
      return `complete -c millwright -n "__millwright_at '${path}'" -l ${long}${value} -d ${fishQuoted(description)}`;
    }),
  ]);
  return [
    '# Completes millwright in fish: millwright completion fish | source',
    'function __millwright_at',
    '    set -l at ""',
    '    for word in (commandline -opc)[2..-1]',
    `        if contains -- "$at $word" ${known.join(' ')}`,
    '            set at "$at $word"',
    '        end',
    '    end',
    '    test "$at" = "$argv[1]"',
    'end',
    ...lines,
    '',
  ].join('\n');
}

/** Options that take a value, by the command they belong to and their own word. */
function valued(
  nodes: readonly CommandNode[],
): readonly { readonly at: string; readonly choices: readonly string[] }[] {
  return nodes.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ word, choices }) => ({ at: `${path} ${word}`, choices })),
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;
}
