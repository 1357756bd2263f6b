import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { useChange } from '../../../web/kit/use-change.ts';
import { rollback, type RouteRevision } from '../contract.ts';
import { armsText } from './revisions.ts';

/** As the route takes it. */
const REASON_CHARS_MAX = 2000;

interface RollbackFormProps {
  readonly endpoint: string;
  readonly current: RouteRevision;
  readonly to: RouteRevision;
  readonly close: () => void;
}

/** Asks why, and sends the traffic back; refused when the route has changed meanwhile. */
export function RollbackForm(props: RollbackFormProps): ReactNode {
  const { endpoint, close } = props;
  // What was looked at is decided on: the page goes on following the route below.
  const [{ current, to }] = useState(props);
  const [reason, setReason] = useState('');
  const change = useChange(rollback, close);
  const submit = (): void => {
    const body = { reason: reason.trim(), to: to.revision, ifRevision: current.revision };
    change.mutate({ params: { endpoint }, body });
  };
  return (
    <Modal opened onClose={close} title={`Roll back ${endpoint}`} transitionProps={{ duration: 0 }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="sm">
          <Text size="sm">
            {`Publishes the arms of revision ${to.revision} (${armsText(to)}) again, in place of revision ${current.revision} (${armsText(current)}). No request fails.`}
          </Text>
          <Textarea
            label="Reason"
            description="Kept with the revision; whoever looks later reads it."
            required
            autosize
            minRows={2}
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
            <Button
              type="submit"
              color="red"
              loading={change.isPending}
              disabled={reason.trim() === ''}
            >
              Roll back
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
