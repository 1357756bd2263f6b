import type { Command } from 'commander';

/** What a shell has to know of a command. */
export interface CommandNode {
  /** ` tables append`: with a blank before each word, empty for the program. */
  readonly path: string;
  readonly children: readonly Word[];
  readonly options: readonly OptionWord[];
}

interface Word {
  readonly word: string;
  readonly description: string;
}

interface OptionWord extends Word {
  readonly takesValue: boolean;
  /** Empty where any value goes. */
  readonly choices: readonly string[];
}

/** The program's commands in the order of a walk, itself first. */
export function commandNodes(command: Command, path = ''): readonly CommandNode[] {
  const shown = command.createHelp();
  const children = shown.visibleCommands(command).filter((child) => child.name() !== 'help');
  const options = shown.visibleOptions(command).flatMap((option): readonly OptionWord[] => {
    if (option.long === undefined || option.long === null) return [];
    const takesValue = option.required || option.optional;
    const choices = option.argChoices ?? [];
    return [{ word: option.long, description: option.description, takesValue, choices }];
  });
  const node = {
    path,
    children: children.map((child) => ({ word: child.name(), description: child.description() })),
    options,
  };
  return [node, ...children.flatMap((child) => commandNodes(child, `${path} ${child.name()}`))];
}
