import { Code, Group, ScrollArea, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { formatCount, formatCounted } from '../../../web/kit/format.ts';
import { SaveCsv } from '../../../web/kit/save-csv.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { tensorViews, type TensorView } from './tensors.ts';
import classes from './tensor-section.module.css';

interface TensorSectionProps {
  readonly title: string;
  /** What the prediction log holds: V2 tensors, or null when nothing was kept. */
  readonly logged: unknown;
  /** The log left them out for their length. */
  readonly wasTruncated: boolean;
}

/** What went in or came out, element by element, long tensors cut short. */
export function TensorSection({ title, logged, wasTruncated }: TensorSectionProps): ReactNode {
  const views = tensorViews(logged);
  const json = JSON.stringify(logged, null, 2);
  return (
    <Section
      title={title}
      aside={
        <Group gap="xs">
          {logged !== null && <CopyCode code={json} shown="JSON" />}
          {views !== null && (
            <SaveCsv
              name={title}
              header={['tensor', 'type', 'values in all', 'first values']}
              rows={() =>
                views.map(({ name, type, count, values }) => [name, type, count, values.join(' ')])
              }
            />
          )}
        </Group>
      }
    >
      {logged === null ? (
        <Text size="sm" c="dimmed">
          {wasTruncated ? 'Too long to be logged.' : 'None was logged.'}
        </Text>
      ) : views === null ? (
        <ScrollArea.Autosize mah={320}>
          <Code block>{json}</Code>
        </ScrollArea.Autosize>
      ) : (
        <Table aria-label={title} className={classes['table']} layout="auto">
          <Table.Tbody>
            {views.map((view) => (
              <Table.Tr key={view.name}>
                <Table.Th scope="row">
                  {view.name}
                  <Text size="xs" c="dimmed" className={classes['type']}>
                    {view.type}
                  </Text>
                </Table.Th>
                <Table.Td>
                  <Values view={view} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}

function Values({ view }: { readonly view: TensorView }): ReactNode {
  const hidden = view.count - view.values.length;
  return (
    <div className={classes['values']}>
      {view.values.join('  ')}
      {hidden > 0 && (
        <Text size="xs" c="dimmed">
          {`and ${formatCount(hidden)} more of ${formatCounted(view.count, 'value')}`}
        </Text>
      )}
    </div>
  );
}
