import { Group, Progress, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getMaturity, LEVEL_MAX, type MaturityDetail } from '../../maturity/contract.ts';
import { ChecksTable } from './checks-table.tsx';

interface LevelSectionProps {
  readonly endpoint: string;
  readonly isOpen: boolean;
}

/** How far an endpoint's operation is automated, and the one thing to do next. */
export function LevelSection({ endpoint, isOpen }: LevelSectionProps): ReactNode {
  const level = useRoute(
    getMaturity,
    { params: { endpoint } },
    { subjects: [`endpoint/${endpoint}`, 'loop/', 'monitor/', 'pipeline'] },
  );
  return (
    <Section
      title="Level and next step"
      aside={
        <PageLink
          to="/"
          search={(search) => ({ ...search, checks: isOpen ? undefined : true })}
          resetScroll={false}
          size="sm"
        >
          {isOpen ? 'Hide the checks' : 'All checks'}
        </PageLink>
      }
    >
      <Loaded query={level} height={170}>
        {(found) => (
          <Stack gap="md">
            <Level found={found} />
            {isOpen && <ChecksTable endpoint={endpoint} checks={found.checks} />}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function Level({ found }: { readonly found: MaturityDetail }): ReactNode {
  const { level, isSeen, levels, next, model, version } = found;
  return (
    <Stack gap="xs">
      <Group gap="xs" align="baseline">
        <Text fw={700} size="xl">
          {`Level ${level}`}
        </Text>
        <Text size="sm" c="dimmed">
          {`of ${LEVEL_MAX}, ${model} v${version}${isSeen ? '' : '; level 0 holds only in part'}`}
        </Text>
      </Group>
      {levels.map(({ level: of, passed, required, exercised, checks }) => (
        <Group key={of} gap="sm" wrap="nowrap">
          <Text size="xs" c="dimmed" style={{ flex: '0 0 52px' }}>{`level ${of}`}</Text>
          <Progress
            flex={1}
            value={required === 0 ? 100 : (100 * passed) / required}
            color={passed === required ? 'teal' : 'blue'}
            aria-label={`Level ${of}: ${passed} of ${required} required checks hold`}
          />
          <PageLink
            to="/"
            search={(search) => ({ ...search, checks: true })}
            resetScroll={false}
            size="xs"
            underline="hover"
            title={`${exercised} of all ${checks} checks were seen to pass`}
          >
            {`${passed} of ${required}`}
          </PageLink>
        </Group>
      ))}
      {next === null ? (
        <Text size="sm">Nothing is left to do: every required check holds.</Text>
      ) : (
        <Stack gap={4} mt={4}>
          <Group gap={6}>
            <Text size="sm" fw={600}>
              {`Next: ${next.title}`}
            </Text>
            <StatusBadge tone="plain">{next.effort}</StatusBadge>
          </Group>
          <Text size="sm">{next.why}</Text>
          <Text size="sm" c="dimmed">
            {next.fix.says}
          </Text>
          {next.fix.command !== null && <CopyCode code={next.fix.command} isBlock />}
        </Stack>
      )}
    </Stack>
  );
}
