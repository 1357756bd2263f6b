import type { FeatureDefinition } from './served-features.ts';

type View = FeatureDefinition['views'][number];

/** What differs between the definition a model was trained on and the one it would be served by. */
export function definitionDifference(
  trained: FeatureDefinition,
  served: FeatureDefinition,
): readonly string[] {
  const found = compareByName(trained.views, served.views, {
    one: (name) => `view ${name}`,
    compare: compareViews,
  });
  if (found.length > 0) return found;
  const [before, after] = [names(trained.features), names(served.features)];
  const gone = before.filter((name) => !after.includes(name));
  const added = after.filter((name) => !before.includes(name));
  if (gone.length > 0) found.push(`features ${gone.join(', ')} are not served`);
  if (added.length > 0) found.push(`features ${added.join(', ')} were not trained on`);
  if (found.length === 0 && before.join() !== after.join()) found.push('the order of features');
  return found;
}

function compareViews(trained: View, served: View): readonly string[] {
  const about = `view ${served.name}`;
  const found: string[] = [];
  const compare = (what: string, before: string, after: string): void => {
    if (before !== after)
      found.push(`${about}: ${what} ${before} in training, ${after} in serving`);
  };
  compare('source', trained.source.name, served.source.name);
  compare('keys', names(trained.keys).join(', '), names(served.keys).join(', '));
  compare('windows', names(trained.windows).join(', '), names(served.windows).join(', '));
  found.push(
    ...compareByName(trained.aggregates, served.aggregates, {
      one: (name) => `${about}: aggregate ${name}`,
      compare: (before, after) => {
        const [was, is] = [formula(before), formula(after)];
        if (was === is) return [];
        return [`${about}: ${after.name} is ${was} in training, ${is} in serving`];
      },
    }),
  );
  return found;
}

function formula(aggregate: View['aggregates'][number]): string {
  return `${aggregate.function}(${aggregate.sql ?? '*'})`;
}

function compareByName<T extends { readonly name: string }>(
  trained: readonly T[],
  served: readonly T[],
  say: {
    readonly one: (name: string) => string;
    readonly compare: (trained: T, served: T) => readonly string[];
  },
): string[] {
  const found: string[] = [];
  for (const before of trained) {
    const after = served.find(({ name }) => name === before.name);
    if (after === undefined) found.push(`${say.one(before.name)} is not served`);
    else found.push(...say.compare(before, after));
  }
  for (const { name } of served) {
    const isNew = trained.every((before) => before.name !== name);
    if (isNew) found.push(`${say.one(name)} was not trained on`);
  }
  return found;
}

function names(all: readonly { readonly name: string }[]): readonly string[] {
  return all.map(({ name }) => name);
}
