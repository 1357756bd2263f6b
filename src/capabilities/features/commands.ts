import { copyFile, writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { AppError, type ErrorCode } from '../../base/errors.ts';
import type { Api, CliContext } from '../../platform/cli/context.ts';
import {
  buildTrainingSet,
  getService,
  getTrainingFile,
  getTrainingSet,
  getView,
  listServices,
  listViews,
  pinOf,
  type Service,
  type TrainingSet,
  type TrainingVersion,
  type View,
} from './contract.ts';
import { exclusionsCommands } from './exclusions-commands.ts';
import { onlineFeaturesCommands } from './online-commands.ts';

export function featuresCommands(program: Command, cli: CliContext): void {
  const features = program
    .command('features')
    .description('feature views, services, training sets');
  servicesCommand(features, cli);
  viewsCommand(features, cli);
  showCommand(features, cli);
  trainSetCommand(features, cli);
  onlineFeaturesCommands(features, cli);
  exclusionsCommands(program, cli);
}

const NONE_YET = 'None yet. Declare it in millwright.yaml and run: millwright apply';

function servicesCommand(features: Command, cli: CliContext): void {
  features
    .command('services')
    .description('list feature services')
    .action(async () => {
      const page = await cli.withApi((api) => api.call(listServices, { query: {} }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) cli.out.line(NONE_YET);
        else {
          cli.out.table(
            ['service', 'features', 'definition', 'since'],
            page.items.map((one) => [
              one.name,
              one.features.length,
              one.hash.slice(0, 12),
              one.appliedAt,
            ]),
          );
        }
      });
    });
}

function viewsCommand(features: Command, cli: CliContext): void {
  features
    .command('views')
    .description('list feature views')
    .action(async () => {
      const page = await cli.withApi((api) => api.call(listViews, { query: {} }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) cli.out.line(NONE_YET);
        else {
          cli.out.table(
            ['view', 'keys', 'windows', 'features', 'table'],
            page.items.map((one) => [
              one.name,
              one.keys.map((key) => key.name).join(', '),
              one.windows.join(', '),
              one.features.map((feature) => feature.name).join(', '),
              one.table,
            ]),
          );
        }
      });
    });
}

function showCommand(features: Command, cli: CliContext): void {
  features
    .command('show')
    .description('describe a feature service, a view or a training set')
    .argument('<name>')
    .action(async (name: string) => {
      const found = await cli.withApi((api) => find(api, name));
      cli.out.result(found.shown, () => {
        const { hash, appliedAt, appliedBy } = found.shown;
        cli.out.line(`${name}   definition ${hash}   since ${appliedAt} by ${appliedBy}`);
        if (found.kind === 'service') printService(found.shown, cli);
        else if (found.kind === 'view') printView(found.shown, cli);
        else {
          const { service, latestVersion } = found.shown;
          const built = latestVersion === null ? 'not built yet' : `built: v${latestVersion}`;
          cli.out.line(`  training set of service ${service}, ${built}`);
        }
      });
    });
}

type Shown =
  | { readonly kind: 'service'; readonly shown: Service }
  | { readonly kind: 'view'; readonly shown: View }
  | { readonly kind: 'training set'; readonly shown: TrainingSet };

/** Names are looked for among services first; a view may have the name of a training set. */
async function find(api: Api, name: string): Promise<Shown> {
  try {
    const shown = await api.call(getService, { params: { service: name } });
    return { kind: 'service', shown };
  } catch (thrown) {
    if (!isCode(thrown, 'FEATURE_SERVICE_NOT_FOUND')) throw thrown;
  }
  try {
    return { kind: 'view', shown: await api.call(getView, { params: { view: name } }) };
  } catch (thrown) {
    if (!isCode(thrown, 'FEATURE_VIEW_NOT_FOUND')) throw thrown;
  }
  try {
    return { kind: 'training set', shown: await api.call(getTrainingSet, { params: { name } }) };
  } catch (thrown) {
    if (!isCode(thrown, 'TRAINING_SET_NOT_FOUND')) throw thrown;
  }
  throw new AppError('FEATURE_SERVICE_NOT_FOUND', `Nothing declared is called ${name}.`, {
    hint: 'See: millwright features services, millwright features views',
  });
}

function isCode(thrown: unknown, code: ErrorCode): boolean {
  return thrown instanceof AppError && thrown.code === code;
}

function printService(service: Service, cli: CliContext): void {
  cli.out.table(
    ['input', 'type', 'role'],
    service.inputs.map((input) => [input.name, input.type, input.role]),
  );
  cli.out.table(
    ['feature', 'of'],
    service.features.map((feature) => [feature.name, feature.view ?? 'the request']),
  );
}

function printView(view: View, cli: CliContext): void {
  const keys = view.keys.map((key) => key.name).join(', ');
  cli.out.line(`  ${view.table} by ${keys}, over ${view.windows.join(', ')}`);
  cli.out.table(
    ['feature', 'function'],
    view.features.map((feature) => [feature.name, feature.function]),
  );
}

interface TrainSetOptions {
  readonly range?: string;
  readonly until?: string;
  readonly pin?: string;
  readonly out?: string;
}

function trainSetCommand(features: Command, cli: CliContext): void {
  features
    .command('train-set')
    .description('build a training set; nothing is built when nothing changed')
    .argument('<name>')
    .option('--range <a..b>', 'T from a to before b: days or instants; default: as declared')
    .addOption(
      new Option('--until <instant>', 'T before this, as many days of it as declared')
        // Set for stages of a run whose newest rows are held out.
        .env('MILLWRIGHT_TRAIN_UNTIL')
        .conflicts('range'),
    )
    .option('--pin <file>', 'write a pin file, the same bytes for the same version')
    .option('--out <file>', 'write the rows as a Parquet file')
    .action(async (name: string, { range, until, pin, out }: TrainSetOptions) => {
      const given = until === undefined ? {} : { until };
      const body = range === undefined ? given : parseRange(range);
      const built = await cli.withApi(async (api) => {
        const version = await api.call(buildTrainingSet, { params: { name }, body });
        if (out !== undefined) {
          const params = { name, version: version.version };
          const { location } = await api.call(getTrainingFile, { params });
          await copyFile(location, out);
        }
        return version;
      });
      if (pin !== undefined) await writeFile(pin, pinOf(built));
      cli.out.result(built, () => {
        print(built, cli);
      });
    });
}

function print(built: TrainingVersion & { readonly reused: boolean }, cli: CliContext): void {
  const { name, version, rows, features, range, leftOut, labelRate } = built;
  const how = built.reused ? '   (as before: nothing changed)' : '';
  cli.out.line(`${name}@v${version}   ${rows} rows, ${features.length} features${how}`);
  const label = `label ${built.label}, mean ${Number(labelRate.toPrecision(4))}`;
  cli.out.line(`  T from ${range.from} to ${range.until}   ${label}`);
  cli.out.line(
    `  left out: ${leftOut.unfinishedWindow} before the longest window is full, ` +
      `${leftOut.immatureLabel} with an immature label, ${leftOut.missingLabel} without one, ` +
      `${leftOut.excluded} in an exclusion`,
  );
  const read = built.sources.map((source) => `${source.table}@v${source.version}`).join(', ');
  cli.out.line(`  from ${read}; definition ${built.definitionHash.slice(0, 12)}`);
}

/** A day stands for its midnight in UTC. */
function parseRange(text: string): { from: string; until: string } {
  const [from, until, ...rest] = text.split('..');
  if (from === undefined || until === undefined || rest.length > 0) {
    throw new AppError('INVALID_INPUT', `${text} is no range.`, {
      hint: 'Write two days or instants, such as 2001-01-01..2001-02-01.',
    });
  }
  const instant = (part: string): string =>
    /^\d{4}-\d{2}-\d{2}$/.test(part) ? `${part}T00:00:00Z` : part;
  return { from: instant(from), until: instant(until) };
}
