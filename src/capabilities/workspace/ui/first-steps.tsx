import { Stack, Text, ThemeIcon, Timeline } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { listPredictions } from '../../predictions/contract.ts';
import type { Model } from '../../registry/contract.ts';
import type { Endpoint } from '../../serving/contract.ts';
import { exampleRequest } from './example-request.ts';

interface FirstStepsProps {
  readonly models: readonly Model[];
  readonly endpoints: readonly Endpoint[];
}

interface Step {
  readonly title: string;
  readonly code: string;
  readonly isDone: boolean;
}

/** Requests are counted since start only; whether there ever was one is asked of the log. */
const ASK_POLL_MS = 2000;

/** From nothing to the first answered request; gone once there is one. */
export function FirstSteps({ models, endpoints }: FirstStepsProps): ReactNode {
  const deployed = endpoints.find(({ route }) => route !== null);
  const isFirst = endpoints.length <= 1;
  const answered = useRoute(
    listPredictions,
    { params: { endpoint: deployed?.name ?? '' }, query: { limit: 1 } },
    { enabled: isFirst && deployed !== undefined, pollMs: ASK_POLL_MS },
  );
  const isAnswering = answered.data === undefined || answered.data.items.length > 0;
  if (deployed !== undefined && (!isFirst || isAnswering)) return null;
  const steps = stepsOf(models, deployed ?? endpoints[0]);
  const done = steps.filter(({ isDone }) => isDone).length;
  return (
    <Section title="First steps">
      <Text size="sm" c="dimmed" mb="md">
        {done === 0
          ? 'Nothing is served here yet. These commands, run in the workspace folder, take an ONNX file to its first prediction.'
          : `${done} of ${steps.length} done. Next:`}
      </Text>
      <Timeline bulletSize={22} lineWidth={2} active={done - 1}>
        {steps.map(({ title, code, isDone }, index) => (
          <Timeline.Item
            key={title}
            title={title}
            bullet={
              isDone ? (
                <ThemeIcon size={22} radius="xl" color="teal">
                  <IconCheck size={13} aria-label="Done" />
                </ThemeIcon>
              ) : (
                <Text size="xs">{index + 1}</Text>
              )
            }
          >
            <Stack mt={4}>
              <CopyCode code={code} isBlock />
            </Stack>
          </Timeline.Item>
        ))}
      </Timeline>
    </Section>
  );
}

function stepsOf(models: readonly Model[], endpoint: Endpoint | undefined): readonly Step[] {
  const model = models.find(({ name }) => name === endpoint?.model) ?? models[0];
  const modelName = endpoint?.model ?? model?.name ?? 'NAME';
  const endpointName = endpoint?.name ?? 'NAME';
  return [
    {
      title: 'Register a model',
      code: `millwright models register ${modelName} FILE.onnx`,
      isDone: model !== undefined,
    },
    {
      title: 'Create an endpoint',
      code: `millwright endpoints create ${endpointName} --model ${modelName}`,
      isDone: endpoint !== undefined,
    },
    {
      title: 'Deploy a version: it is loaded, warmed up, then gets the traffic',
      code: `millwright deploy ${endpointName}@${model?.latestVersion ?? 1}`,
      isDone: endpoint !== undefined && endpoint.route !== null,
    },
    {
      title: 'Ask for a prediction',
      code: exampleRequest(window.location.origin, endpointName, endpoint?.signature?.inputs ?? []),
      isDone: false,
    },
  ];
}
