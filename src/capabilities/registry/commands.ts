import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import { listModels, listVersions, registerModel, type TensorSpec } from './contract.ts';

export function registryCommands(program: Command, cli: CliContext): void {
  const models = program.command('models').description('register and list model versions');

  models
    .command('register')
    .description('register an ONNX file as the next version of a model')
    .argument('<name>', 'model name')
    .argument('<file>', 'ONNX file')
    .option('--description <text>', 'what is special about this version', '')
    .option('--run <id>', 'the run that made the file')
    .action(async (name: string, file: string, { description, run }: RegisterOptions) => {
      await assertFile(file);
      const query = { description, ...(run === undefined ? {} : { run }) };
      const version = await cli.withApi((api) =>
        api.call(
          registerModel,
          { params: { model: name }, query },
          { bytes: createReadStream(file), contentType: 'application/octet-stream' },
        ),
      );
      cli.out.result(version, () => {
        cli.out.line(`${name} version ${version.version}   sha256 ${version.digest.slice(0, 12)}`);
        cli.out.line(`  inputs   ${version.signature.inputs.map(describe).join(', ')}`);
        cli.out.line(`  outputs  ${version.signature.outputs.map(describe).join(', ')}`);
      });
    });

  models
    .command('ls')
    .description('list models')
    .action(async () => {
      const page = await cli.withApi((api) => api.call(listModels, { query: {} }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) {
          cli.out.line('No models yet. Register one: millwright models register NAME FILE.onnx');
          return;
        }
        cli.out.table(
          ['model', 'latest', 'since'],
          page.items.map((model) => [model.name, model.latestVersion, model.createdAt]),
        );
      });
    });

  models
    .command('versions')
    .description('list the versions of a model, newest first')
    .argument('<name>', 'model name')
    .action(async (name: string) => {
      const page = await cli.withApi((api) =>
        api.call(listVersions, { params: { model: name }, query: {} }),
      );
      cli.out.result(page.items, () =>
        cli.out.table(
          ['version', 'sha256', 'bytes', 'aliases', 'registered', 'by', 'description'],
          page.items.map((version) => [
            version.version,
            version.digest.slice(0, 12),
            version.sizeBytes,
            version.aliases.join(' '),
            version.createdAt,
            version.createdBy,
            version.description,
          ]),
        ),
      );
    });
}

interface RegisterOptions {
  readonly description: string;
  readonly run?: string;
}

function describe(spec: TensorSpec): string {
  return `${spec.name} ${spec.datatype}[${spec.shape.join(',')}]`;
}

async function assertFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found?.isFile() === true) return;
  throw new AppError('INVALID_INPUT', `${file} is not a file.`, { hint: 'Check the path.' });
}
