import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { useChange } from '../../../web/kit/use-change.ts';
import { drillRollback, type RouteRevision } from '../contract.ts';
import { armsText } from './revisions.ts';

const REASON_CHARS_MAX = 2000;

interface DrillFormProps {
  readonly endpoint: string;
  readonly current: RouteRevision;
  readonly to: RouteRevision;
  readonly close: () => void;
}

/** Exercises a rollback: there and back, recorded as a drill. */
export function DrillForm(props: DrillFormProps): ReactNode {
  const { endpoint, close } = props;
  // What was looked at is decided on: the page goes on following the route below.
  const [{ current, to }] = useState(props);
  const [reason, setReason] = useState('');
  const change = useChange(drillRollback, close);
  const submit = (): void => {
    const body = { reason: reason.trim(), ifRevision: current.revision };
    change.mutate({ params: { endpoint }, body });
  };
  return (
    <Modal opened onClose={close} title={`Drill ${endpoint}`} transitionProps={{ duration: 0 }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="sm">
          <Text size="sm">
            {`Publishes revision ${to.revision} (${armsText(to)}) and at once revision ${current.revision} (${armsText(current)}) again. Requests that arrive in between are answered by the former version; none fails. Both revisions are marked as a drill, and the level of maturity counts it.`}
          </Text>
          <TextInput
            label="Reason"
            placeholder="monthly drill"
            maxLength={REASON_CHARS_MAX}
            value={reason}
            data-autofocus
            onChange={(event) => {
              setReason(event.currentTarget.value);
            }}
          />
          {change.error !== null && <ErrorState error={change.error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={change.isPending}>
              Start the drill
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
