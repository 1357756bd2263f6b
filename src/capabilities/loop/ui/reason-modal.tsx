import { Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { toAppError } from '../../../base/errors.ts';
import { parseInstant } from '../../../base/time.ts';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { Decision } from '../contract.ts';
import { about } from './decision-kind.ts';

/** Something a person may have a loop do. */
export interface Act {
  readonly word: string;
  readonly icon: ReactNode;
  /** What it means, in a sentence. */
  readonly about: string;
  /** Whether it ends at a time of the domain clock. */
  readonly asksUntil?: boolean;
  readonly send: (reason: string, until?: string) => Promise<Decision>;
}

interface ReasonModalProps {
  readonly act: Act;
  readonly subject: string;
  readonly close: () => void;
}

/** Asks why, sends it, and shows the decision that it led to: it may be a refusal. */
export function ReasonModal({ act, subject, close }: ReasonModalProps): ReactNode {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const [problem, setProblem] = useState<string>();
  const sent = useMutation({
    mutationFn: async () =>
      act.send(reason.trim(), act.asksUntil === true ? instantOf(until) : undefined),
    onSuccess: () => client.invalidateQueries(),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const isTimeless = act.asksUntil === true && parseInstant(instantOf(until)) === null;
    if (isTimeless) setProblem('A time with its zone, such as 2001-05-02T00:00:00Z');
    else sent.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={`${act.word} ${subject}`}
      transitionProps={{ duration: 0 }}
    >
      {sent.data === undefined ? (
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
            <Textarea
              label="Reason"
              description="Recorded with the decision"
              required
              data-autofocus
              autosize
              minRows={2}
              maxLength={2000}
              value={reason}
              onChange={(event) => {
                setReason(event.currentTarget.value);
              }}
            />
            {sent.error !== null && <ErrorState error={toAppError(sent.error)} />}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={sent.isPending} disabled={reason.trim() === ''}>
                {act.word}
              </Button>
            </Group>
          </Stack>
        </form>
      ) : (
        <Decided decision={sent.data} close={close} />
      )}
    </Modal>
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
