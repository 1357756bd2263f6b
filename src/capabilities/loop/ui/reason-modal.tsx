import { Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { toAppError } from '../../../base/errors.ts';
import { parseInstant } from '../../../base/time.ts';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { Decision } from '../contract.ts';
import { ChallengerFields, type Challenger } from './challenger-fields.tsx';
import { about } from './decision-kind.ts';

/** Something a person may have a loop do. */
export interface Act {
  readonly word: string;
  readonly icon: ReactNode;
  /** What it means, in a sentence. */
  readonly about: string;
  /** Whether it ends at a time of the domain clock. */
  readonly asksUntil?: boolean;
  /** Of which model a version is asked for, and which one it challenges. */
  readonly asksVersion?: { readonly model: string; readonly champion: number };
  readonly send: (given: Given) => Promise<Decision>;
}

/** What a person says with an act; beside the reason what the act asks for. */
export interface Given {
  readonly reason: string;
  readonly until?: string;
  readonly challenger: Challenger;
}

const NO_CHALLENGER: Challenger = { version: null, isOverridden: false };

interface ReasonModalProps {
  readonly act: Act;
  readonly subject: string;
  readonly close: () => void;
}

/** Asks why, sends it, and shows the decision that it led to: it may be a refusal. */
export function ReasonModal({ act, subject, close }: ReasonModalProps): ReactNode {
  const client = useQueryClient();
  const sent = useMutation({
    mutationFn: (given: Given) => act.send(given),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <Modal
      opened
      onClose={close}
      title={`${act.word} ${subject}`}
      transitionProps={{ duration: 0 }}
    >
      {sent.data === undefined ? (
        <ActForm
          act={act}
          error={sent.error}
          isPending={sent.isPending}
          send={sent.mutate}
          cancel={close}
        />
      ) : (
        <Decided decision={sent.data} close={close} />
      )}
    </Modal>
  );
}

interface ActFormProps {
  readonly act: Act;
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly send: (given: Given) => void;
  readonly cancel: () => void;
}

function ActForm({ act, error, isPending, send, cancel }: ActFormProps): ReactNode {
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const [problem, setProblem] = useState<string>();
  const [challenger, setChallenger] = useState(NO_CHALLENGER);
  const isLacking = act.asksVersion !== undefined && challenger.version === null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const given = { reason: reason.trim(), challenger };
    if (act.asksUntil !== true) send(given);
    else if (parseInstant(instantOf(until)) !== null) send({ ...given, until: instantOf(until) });
    else setProblem('A time with its zone, such as 2001-05-02T00:00:00Z');
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text size="sm">{act.about}</Text>
        {act.asksUntil === true && (
          <TextInput
            label="Until (domain clock)"
            placeholder="2001-05-02T00:00:00Z"
            required
            value={until}
            error={problem}
            onChange={(event) => {
              setUntil(event.currentTarget.value);
              setProblem(undefined);
            }}
          />
        )}
        {act.asksVersion !== undefined && (
          <ChallengerFields {...act.asksVersion} value={challenger} onChange={setChallenger} />
        )}
        <ReasonField value={reason} onChange={setReason} />
        {error !== null && <ErrorState error={toAppError(error)} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={cancel}>
            Cancel
          </Button>
          <Button type="submit" loading={isPending} disabled={reason.trim() === '' || isLacking}>
            {act.word}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface ReasonFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function ReasonField({ value, onChange }: ReasonFieldProps): ReactNode {
  return (
    <Textarea
      label="Reason"
      description="Recorded with the decision"
      required
      data-autofocus
      autosize
      minRows={2}
      maxLength={2000}
      value={value}
      onChange={(event) => {
        onChange(event.currentTarget.value);
      }}
    />
  );
}

function Decided(props: { readonly decision: Decision; readonly close: () => void }): ReactNode {
  const { decision, close } = props;
  const { id, loop, kind, reason } = decision;
  return (
    <Stack gap="sm" role="status">
      <Group gap="xs">
        <StatusBadge tone={about(kind).tone}>{about(kind).word}</StatusBadge>
        <PageLink to="/loop/$loop/decisions/$decision" params={{ loop, decision: String(id) }}>
          {`Decision ${id}`}
        </PageLink>
      </Group>
      <Text size="sm">{reason}</Text>
      <Group justify="flex-end">
        <Button onClick={close}>Close</Button>
      </Group>
    </Stack>
  );
}

/** RFC 3339 writes a T where eyes prefer a space. */
function instantOf(text: string): string {
  return text.trim().replace(' ', 'T');
}
