import type { Command } from 'commander';

/** What to type, for each command: shown by `--help` and in docs/reference/cli.md. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  init: ['millwright init', 'millwright init --clock replay'],
  doctor: ['millwright doctor', 'millwright doctor --json'],
  backup: ['millwright backup ../backups/2026-03-01'],
  'backup verify': ['millwright backup verify ../backups/2026-03-01'],
  schema: ['millwright schema'],
  completion: [
    'source <(millwright completion bash)',
    'millwright completion zsh > ~/.zfunc/_millwright',
    'millwright completion fish > ~/.config/fish/completions/millwright.fish',
  ],
  up: ['millwright up', 'millwright up --port 0 --log warn'],
  quickstart: ['millwright quickstart', 'millwright quickstart --until 2001-04-15 --exit'],
  status: ['millwright status'],
  events: ['millwright events --limit 50', 'millwright events --subject endpoint/late'],
  plan: ['millwright plan'],
  apply: ['millwright apply', 'millwright apply 594e0384e213'],
  'clock advance': ['millwright clock advance 2001-03-01T00:00:00Z'],
  'tables ls': ['millwright tables ls'],
  'tables create': [
    "millwright tables create landings 'id:long!' 'landed_at:timestamp!' delay:integer",
    'millwright tables create landings --from landings.parquet',
  ],
  'tables show': ['millwright tables show landings', 'millwright tables show landings --version 3'],
  'tables append': [
    'millwright tables append landings landings.parquet',
    'millwright tables append landings today.ndjson --batch 2001-03-01',
  ],
  'tables rows': ['millwright tables rows landings --limit 5'],
  'tables history': ['millwright tables history landings'],
  'tables diff': [
    'millwright tables diff landings',
    'millwright tables diff landings --from 117 --to 120 --limit 5',
  ],
  sql: [
    'millwright sql "select version, count(*) from predictions.late group by 1"',
    'millwright sql "select origin, avg(delay) from landings group by origin" --as-of landings@117 --csv',
  ],
  'features services': ['millwright features services'],
  'features views': ['millwright features views'],
  'features show': ['millwright features show late_v1'],
  'features train-set': [
    'millwright features train-set late_train --out train.parquet --pin train.pin.json',
    'millwright features train-set late_train --range 2001-01-01..2001-02-01',
  ],
  'features get': [
    'millwright features get late_v1 --key origin=ORD,destination=LGA --set distance=733',
    'millwright features get late_v1 --key origin=ORD,destination=LGA --at 2001-01-15T08:00:00Z',
  ],
  'features verify': ['millwright features verify late_v1 --last 1d'],
  'features watermarks': ['millwright features watermarks'],
  'features rebuild': ['millwright features rebuild'],
  'exclusions ls': ['millwright exclusions ls'],
  'exclusions add': [
    'millwright exclusions add --from 2001-05-20T06:00:00Z --until 2001-05-21T00:00:00Z ' +
      '--reason "distances in kilometres"',
  ],
  'exclusions end': ['millwright exclusions end exc_0192 2001-05-21T00:00:00Z'],
  'exclusions withdraw': ['millwright exclusions withdraw exc_0192 --reason "was another table"'],
  'experiments ls': ['millwright experiments ls'],
  'runs ls': ['millwright runs ls', 'millwright runs ls --filter "metrics.auc > 0.8"'],
  'runs show': ['millwright runs show run_01a22ee61d527337914c86d13fab049e'],
  'models register': ['millwright models register late model.onnx --description "first try"'],
  'models ls': ['millwright models ls'],
  'models versions': ['millwright models versions late'],
  'endpoints create': ['millwright endpoints create late --model late --key flight_id'],
  'endpoints ls': ['millwright endpoints ls'],
  'endpoints revisions': ['millwright endpoints revisions late'],
  deploy: [
    'millwright deploy late@2 --reason "better on weekends"',
    'millwright deploy late@2 --endpoint late_test',
  ],
  split: ['millwright split late 1=90 2=10 --reason "look at it first"'],
  rollback: [
    'millwright rollback late --reason "support tickets"',
    'millwright rollback late --drill',
  ],
  'who-served': [
    'millwright who-served late --at 2001-04-27T11:02:00Z',
    'millwright who-served late --at 2001-04-27T11:02Z --key origin=ORD',
  ],
  trace: ['millwright trace req_01a22ede4f9d71178cf0cf7f6cb0ada1'],
  'monitors ls': ['millwright monitors ls'],
  'monitors show': ['millwright monitors show late', 'millwright monitors show late --all'],
  'monitors history': ['millwright monitors history late --kind quality'],
  'monitors run': ['millwright monitors run late'],
  compare: [
    'millwright compare late 1 2 --from 2001-04-01T00:00:00Z --until 2001-04-08T00:00:00Z',
    'millwright compare late 1 2 --rows late_train@3',
  ],
  'predictions ls': ['millwright predictions ls late --limit 5'],
  'predictions log': ['millwright predictions log'],
  label: [
    'millwright label late true --key 948374',
    'millwright label late 0.3 --request req_0192',
  ],
  'labels status': ['millwright labels status late'],
  'labels catch-up': ['millwright labels catch-up'],
  run: ['millwright run', 'millwright run train --dry'],
  'pipelines ls': ['millwright pipelines ls'],
  'pipelines show': ['millwright pipelines show pipe_0192'],
  'pipelines log': ['millwright pipelines log pipe_0192 train --follow'],
  'pipelines cancel': ['millwright pipelines cancel pipe_0192'],
  'loop ls': ['millwright loop ls'],
  'loop status': ['millwright loop status late'],
  'loop decisions': ['millwright loop decisions late --limit 50'],
  'loop why': ['millwright loop why late'],
  'loop trigger': ['millwright loop trigger late --reason "new airports"'],
  'loop challenge': ['millwright loop challenge late 4 --reason "made by hand"'],
  'loop stop': ['millwright loop stop late --reason "the source is being rebuilt"'],
  'loop resume': ['millwright loop resume late --reason "it is back"'],
  'loop approve': ['millwright loop approve late --reason "checked the slices"'],
  lineage: ['millwright lineage late@1', 'millwright lineage table/default.landings --depth 3'],
  level: ['millwright level', 'millwright level late --all'],
  'auth create': ['millwright auth create dashboards --scope read --expires 90d'],
  'auth list': ['millwright auth list'],
  'auth revoke': ['millwright auth revoke dashboards'],
};

/** Commands that do something, with their words: `tables append`. */
export function leafCommands(
  command: Command,
  path: readonly string[] = [],
): readonly { readonly words: string; readonly command: Command }[] {
  const children = command.commands.flatMap((child) =>
    leafCommands(child, [...path, child.name()]),
  );
  // One with arguments does something by itself too.
  const isCalled = children.length === 0 || command.registeredArguments.length > 0;
  return isCalled ? [{ words: path.join(' '), command }, ...children] : children;
}

/** Adds to each command's help what to type. */
export function addExamples(program: Command): void {
  for (const { words, command } of leafCommands(program)) {
    const examples = EXAMPLES[words] ?? [];
    if (examples.length === 0) continue;
    const lines = examples.map((example) => `  ${example}`).join('\n');
    command.addHelpText('after', `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${lines}`);
  }
}
