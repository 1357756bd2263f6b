import { Button, Group, SimpleGrid, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { parseInstant } from '../../../base/time.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatAgo, formatShort, formatValue } from '../../../web/kit/format.ts';
import { Instant } from '../../../web/kit/instant.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getFeatures, type FeatureVectorReply, type Service } from '../contract.ts';
import { inputValues, lookupCommand } from './lookup-inputs.ts';

type FeatureValue = FeatureVectorReply['features'][number];

const ROWS_SHOWN = 12;

const COLUMNS: readonly Column<FeatureValue>[] = [
  {
    id: 'name',
    header: 'Feature',
    value: ({ name }) => name,
    cell: ({ name }) => <span title={name}>{formatShort(name, 40)}</span>,
  },
  {
    id: 'value',
    header: 'Value',
    isNumeric: true,
    value: ({ value }) => value,
    cell: ({ value }) =>
      value === null ? (
        <Text span inherit c="dimmed" children="missing" />
      ) : (
        <span title={String(value)}>{formatValue(value)}</span>
      ),
  },
  {
    id: 'age',
    header: 'Newest event',
    isNumeric: true,
    value: ({ ageSeconds }) => ageSeconds,
    cell: ({ ageSeconds }) => (ageSeconds === null ? '' : formatAgo(ageSeconds)),
  },
];

/** The vector of any key, now or as of a time past: read only, nothing is logged. */
export function LookupSection({ service }: { readonly service: Service }): ReactNode {
  const { inputs: texts, at } = useSearch({ from: '/features/services/$service' });
  const found = useRoute(
    getFeatures,
    {
      body: {
        service: service.name,
        inputs: inputValues(service.inputs, texts ?? {}),
        ...(at === undefined ? {} : { at }),
      },
    },
    { enabled: texts !== undefined },
  );
  return (
    <Section title="Look up a vector">
      <LookupForm service={service} />
      {texts !== undefined && (
        <>
          <CopyCode isBlock code={lookupCommand(service, texts, at)} />
          <div style={{ marginTop: 12 }}>
            <Loaded query={found} height={240}>
              {(reply) => <Vector reply={reply} />}
            </Loaded>
          </div>
        </>
      )}
    </Section>
  );
}

function LookupForm({ service }: { readonly service: Service }): ReactNode {
  const search = useSearch({ from: '/features/services/$service' });
  const navigate = useNavigate({ from: '/features/services/$service' });
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>(search.inputs ?? {});
  const [at, setAt] = useState(search.at ?? '');
  const wrongTime = at.trim() !== '' && parseInstant(at.trim()) === null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (wrongTime) return;
    const asOf = at.trim() === '' ? undefined : at.trim().replace(' ', 'T');
    void navigate({ search: { inputs: texts, at: asOf }, resetScroll: false });
  };
  return (
    <form onSubmit={submit}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" verticalSpacing="xs" mb="sm">
        {service.inputs.map(({ name, type }, index) => (
          <TextInput
            key={name}
            size="xs"
            label={name}
            placeholder={type}
            spellCheck={false}
            autoComplete="off"
            maxLength={500}
            {...(index === 0 ? { 'data-search': true } : {})}
            value={texts[name] ?? ''}
            onChange={(event) => {
              const text = event.currentTarget.value;
              setTexts((was) => ({ ...was, [name]: text }));
            }}
          />
        ))}
        <TextInput
          size="xs"
          label="As of (domain clock)"
          placeholder="now, or such as 2001-01-15T08:00:00Z"
          spellCheck={false}
          autoComplete="off"
          value={at}
          error={wrongTime ? 'A time with its zone, such as 2001-01-15T08:00:00Z' : undefined}
          onChange={(event) => {
            setAt(event.currentTarget.value);
          }}
        />
      </SimpleGrid>
      <Group mb="sm">
        <Button type="submit" size="xs" leftSection={<IconSearch size={14} aria-hidden />}>
          Look up
        </Button>
      </Group>
    </form>
  );
}

function Vector({ reply }: { readonly reply: FeatureVectorReply }): ReactNode {
  const seen = Object.entries(reply.watermarks).map(([table, version]) => `${table} v${version}`);
  return (
    <DataTable
      name={`Vector of ${reply.service}`}
      heading={
        <Text size="sm">
          {'At '}
          <Instant value={reply.at} clock="domain" />
          <Text span inherit c="dimmed">
            {seen.length === 0 ? '' : `, having seen ${seen.join(', ')}`}
          </Text>
        </Text>
      }
      columns={COLUMNS}
      rows={reply.features}
      rowId={({ name }) => name}
      pageSize={ROWS_SHOWN}
      minWidth={380}
      canFilter={reply.features.length > ROWS_SHOWN}
    />
  );
}
