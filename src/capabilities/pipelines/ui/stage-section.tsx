import { Alert, Button, Code, Group, List, Stack, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { call } from '../../../web/kit/client.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { download } from '../../../web/kit/download.ts';
import { formatBytes, formatCount, formatDigest } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { getStageLog, type PipelineRun, type PipelineStep } from '../contract.ts';
import { isUnderWay, StateBadge, tookText } from './pipeline-state.tsx';
import classes from './stage-section.module.css';

type Attempt = PipelineStep['attempts'][number];
type Output = PipelineStep['outputs'][number];

interface StageSectionProps {
  readonly run: PipelineRun;
  readonly step: PipelineStep;
}

/** One stage: why it ran or did not, its attempts, what it wrote, and what it said. */
export function StageSection({ run, step }: StageSectionProps): ReactNode {
  const { stage, state, reasons, error, attempts, outputs } = step;
  return (
    <Section title={`Stage ${stage}`} aside={<StateBadge state={state} />}>
      <Stack gap="md">
        {error !== null && (
          <Alert color="red" title={error.message}>
            {error.hint}
          </Alert>
        )}
        {reasons.length > 0 && (
          <List size="sm" aria-label={`Why ${stage} is ${state}`}>
            {reasons.map((reason) => (
              <List.Item key={reason}>{reason}</List.Item>
            ))}
          </List>
        )}
        {attempts.length > 0 && (
          <DataTable
            name={`Attempts of ${stage}`}
            heading={<Title order={3}>Attempts</Title>}
            columns={ATTEMPTS}
            rows={attempts}
            rowId={({ id }) => id}
            minWidth={640}
          />
        )}
        {outputs.length > 0 && (
          <DataTable
            name={`Outputs of ${stage}`}
            heading={<Title order={3}>Outputs</Title>}
            columns={OUTPUTS}
            rows={outputs}
            rowId={({ path }) => path}
            minWidth={560}
          />
        )}
        {attempts.length > 0 && <StageLog run={run} stage={stage} />}
      </Stack>
    </Section>
  );
}

const ATTEMPTS: readonly Column<Attempt>[] = [
  { id: 'number', header: 'No.', isNumeric: true, value: ({ number }) => number },
  {
    id: 'state',
    header: 'State',
    value: ({ state }) => state,
    cell: ({ state }) => <StateBadge state={state} />,
  },
  {
    id: 'started',
    header: 'Began (wall clock)',
    value: ({ startedAt }) => startedAt,
    cell: ({ startedAt }) => <Instant value={startedAt} clock="wall" />,
  },
  { id: 'took', header: 'Took', value: (one) => tookText(one.startedAt, one.endedAt) },
  { id: 'exit', header: 'Exit', isNumeric: true, value: ({ exitCode }) => exitCode },
  { id: 'reason', header: 'Why it ended', value: ({ reason }) => reason },
];

const OUTPUTS: readonly Column<Output>[] = [
  { id: 'path', header: 'Path', value: ({ path }) => path },
  {
    id: 'size',
    header: 'Size',
    isNumeric: true,
    value: ({ sizeBytes }) => sizeBytes,
    cell: ({ sizeBytes }) => formatBytes(sizeBytes),
  },
  { id: 'files', header: 'Files', isNumeric: true, value: ({ files }) => files },
  {
    id: 'sha256',
    header: 'SHA-256',
    value: ({ sha256 }) => sha256,
    cell: ({ sha256 }) => <CopyCode code={sha256} shown={formatDigest(sha256)} />,
  },
];

/** As much of a log as is read here: more than anybody scrolls through. */
const LOG_CHARS_MAX = 1_000_000;
const POLL_MS = 2000;

function StageLog(props: { readonly run: PipelineRun; readonly stage: string }): ReactNode {
  const { run, stage } = props;
  const log = useQuery({
    queryKey: [getStageLog.id, run.id, stage],
    queryFn: ({ signal }) => readLog({ run: run.id, stage }, signal),
    refetchInterval: isUnderWay(run.state) ? POLL_MS : false,
    meta: { subjects: [`pipeline/${run.id}`] },
  });
  return (
    <Loaded query={log} height={160}>
      {({ text, isCut }) => (
        <div>
          <Group justify="space-between" gap="xs" mb="xs">
            <Title order={3}>Log</Title>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconDownload size={14} aria-hidden />}
              disabled={text === ''}
              onClick={() => {
                download(`${stage}.log`, new Blob([text], { type: 'text/plain' }));
              }}
            >
              Save
            </Button>
          </Group>
          {text === '' ? (
            <Text size="sm" c="dimmed">
              It has said nothing.
            </Text>
          ) : (
            <Code block className={classes['log']} tabIndex={0} aria-label={`Log of ${stage}`}>
              {text}
            </Code>
          )}
          {isCut && (
            <Text size="xs" c="dimmed">
              {`The first ${formatCount(LOG_CHARS_MAX)} characters; all of it: millwright pipelines log ${run.id} ${stage}`}
            </Text>
          )}
        </div>
      )}
    </Loaded>
  );
}

/** The log from its start, piece by piece, as far as it is there. */
async function readLog(
  params: { readonly run: string; readonly stage: string },
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  let [text, offset] = ['', 0];
  while (text.length < LOG_CHARS_MAX) {
    const piece = await call(getStageLog, { params, query: { offset } }, signal);
    text += piece.text;
    if (piece.nextOffset === offset) return { text, isCut: false };
    offset = piece.nextOffset;
  }
  return { text, isCut: true };
}
