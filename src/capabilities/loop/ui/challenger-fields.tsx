import { Checkbox, Select, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import { listVersions, type ModelVersion } from '../../registry/contract.ts';

/** Which version is put before the gate, and what becomes of it when the gate rejects it. */
export interface Challenger {
  readonly version: number | null;
  readonly isOverridden: boolean;
}

interface ChallengerFieldsProps {
  readonly model: string;
  /** The version that answers now: it cannot challenge itself. */
  readonly champion: number;
  readonly value: Challenger;
  readonly onChange: (value: Challenger) => void;
}

export function ChallengerFields(props: ChallengerFieldsProps): ReactNode {
  const { model, champion, value, onChange } = props;
  const versions = useRoute(
    listVersions,
    { params: { model }, query: { limit: PAGE_LIMIT_MAX } },
    { subjects: [`model/${model}`] },
  );
  const choices = (versions.data?.items ?? []).filter(({ version }) => version !== champion);
  return (
    <Stack gap="sm">
      <Select
        label={`Version of ${model}`}
        placeholder={choices.length === 0 ? 'There is no other version' : 'Choose one'}
        required
        searchable
        disabled={choices.length === 0}
        data={choices.map((one) => ({ value: String(one.version), label: wordsOf(one) }))}
        value={value.version === null ? null : String(value.version)}
        onChange={(chosen) => {
          onChange({ ...value, version: chosen === null ? null : Number(chosen) });
        }}
      />
      <Checkbox
        label="Roll it out even when the gate rejects it"
        description="Recorded as an override with this reason; the guard may still roll it back"
        checked={value.isOverridden}
        onChange={(event) => {
          onChange({ ...value, isOverridden: event.currentTarget.checked });
        }}
      />
    </Stack>
  );
}

function wordsOf({ version, aliases }: ModelVersion): string {
  return aliases.length === 0 ? `v${version}` : `v${version} · ${aliases.join(', ')}`;
}
