import { AppError } from '../../base/errors.ts';
import type { Metadata, Protocol } from './actions.ts';
import { parseSchema } from './schema.ts';

/**
 * What a table demands of its readers and writers ("Table Features" in PROTOCOL.md). A feature we
 * do not know is never guessed: an unknown reader feature refuses the table, an unknown writer
 * feature makes it read-only. Several features oblige nobody until a table uses them; those are
 * accepted and their use is looked for in the metadata.
 */
export const NEW_TABLE_PROTOCOL: Protocol = { minReaderVersion: 1, minWriterVersion: 2 };

/** Features that ask nothing of a reader beyond the metadata checks below. */
const READER_FEATURES = new Set([
  'columnMapping',
  'timestampNtz',
  'vacuumProtocolCheck',
  'variantType',
]);

/** Features that ask nothing of a blind append beyond the metadata checks below. */
const APPEND_FEATURES = new Set([
  ...READER_FEATURES,
  'appendOnly',
  'invariants',
  'checkConstraints',
  'changeDataFeed',
  'generatedColumns',
]);

/** Features a legacy writer version implies, as far as version 5; 6 adds identity columns. */
const LEGACY_WRITER_VERSION_MAX = 5;

/** Throws `TABLE_FEATURE_UNSUPPORTED` when reading the table could give wrong rows. */
export function assertReadable(protocol: Protocol, metadata: Metadata): void {
  const obstacle = readObstacle(protocol, metadata);
  if (obstacle === null) return;
  throw new AppError('TABLE_FEATURE_UNSUPPORTED', `This table cannot be read: ${obstacle}.`, {
    hint: 'Read it with the engine that wrote it, or rewrite it there without this feature.',
  });
}

function readObstacle(protocol: Protocol, metadata: Metadata): string | null {
  const { minReaderVersion, readerFeatures } = protocol;
  if (minReaderVersion > 3) return `it needs reader version ${minReaderVersion}`;
  if (minReaderVersion === 3) {
    const unknown = unknownFeatures(readerFeatures, READER_FEATURES);
    if (unknown !== null) return unknown;
  }
  const mapping = metadata.configuration?.['delta.columnMapping.mode'] ?? 'none';
  if (mapping !== 'none') return `it maps columns by ${mapping}`;
  if (metadata.format.provider !== 'parquet') return `its files are ${metadata.format.provider}`;
  return null;
}

/** Throws `TABLE_FEATURE_UNSUPPORTED` when a blind append could break a promise of the table. */
export function assertAppendable(protocol: Protocol, metadata: Metadata): void {
  const obstacle = appendObstacle(protocol, metadata);
  if (obstacle === null) return;
  throw new AppError('TABLE_FEATURE_UNSUPPORTED', `This table is read-only here: ${obstacle}.`, {
    hint: 'Append with the engine that wrote it.',
  });
}

/** Why Millwright must not append, as a clause; null when it may. */
export function appendObstacle(protocol: Protocol, metadata: Metadata): string | null {
  return protocolObstacle(protocol) ?? configurationObstacle(metadata) ?? fieldObstacle(metadata);
}

function protocolObstacle({ minWriterVersion, writerFeatures }: Protocol): string | null {
  if (minWriterVersion <= LEGACY_WRITER_VERSION_MAX) return null;
  if (minWriterVersion !== 7) return `it needs writer version ${minWriterVersion}`;
  return unknownFeatures(writerFeatures, APPEND_FEATURES);
}

function unknownFeatures(
  features: readonly string[] | null | undefined,
  known: ReadonlySet<string>,
): string | null {
  const unknown = (features ?? []).filter((feature) => !known.has(feature)).toSorted();
  return unknown.length === 0 ? null : `it uses the table features ${unknown.join(', ')}`;
}

function configurationObstacle(metadata: Metadata): string | null {
  if (metadata.partitionColumns.length > 0) {
    return `it is partitioned by ${metadata.partitionColumns.join(', ')}`;
  }
  const constraint = Object.keys(metadata.configuration ?? {}).find((key) =>
    key.startsWith('delta.constraints.'),
  );
  return constraint === undefined ? null : `it has the constraint ${constraint}`;
}

function fieldObstacle(metadata: Metadata): string | null {
  for (const { name, metadata: field } of parseSchema(metadata.schemaString)) {
    if ('delta.invariants' in field) return `column ${name} has an invariant`;
    if ('delta.generationExpression' in field) return `column ${name} is generated`;
    if (Object.keys(field).some((key) => key.startsWith('delta.identity.'))) {
      return `column ${name} is an identity column`;
    }
  }
  return null;
}
