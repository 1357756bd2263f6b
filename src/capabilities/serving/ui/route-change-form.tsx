import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { useChange } from '../../../web/kit/use-change.ts';
import { drillRollback, rollback, type RouteRevision } from '../contract.ts';
import { armsText } from './revisions.ts';

/** As the route takes it. */
const REASON_CHARS_MAX = 2000;

interface RouteChangeFormProps {
  /** Back to a former revision, or there and back again at once. */
  readonly kind: 'rollback' | 'drill';
  readonly endpoint: string;
  readonly current: RouteRevision;
  readonly to: RouteRevision;
  readonly close: () => void;
}

/** Asks why, and changes the route; refused when it has changed meanwhile. */
export function RouteChangeForm(props: RouteChangeFormProps): ReactNode {
  const { kind, endpoint, close } = props;
  const isDrill = kind === 'drill';
  // What was looked at is decided on: the page goes on following the route below.
  const [{ current, to }] = useState(props);
  const [reason, setReason] = useState('');
  const back = useChange(rollback, close);
  const drill = useChange(drillRollback, close);
  const { error, isPending } = isDrill ? drill : back;
  const submit = (): void => {
    const by = { reason: reason.trim(), ifRevision: current.revision };
    if (isDrill) drill.mutate({ params: { endpoint }, body: by });
    else back.mutate({ params: { endpoint }, body: { ...by, to: to.revision } });
  };
  return (
    <Modal
      opened
      onClose={close}
      title={`${isDrill ? 'Drill' : 'Roll back'} ${endpoint}`}
      transitionProps={{ duration: 0 }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="sm">
          <Text size="sm">{isDrill ? drillText(current, to) : rollbackText(current, to)}</Text>
          <Textarea
            label="Reason"
            description="Kept with the revision; whoever looks later reads it."
            required={!isDrill}
            autosize
            minRows={2}
            maxLength={REASON_CHARS_MAX}
            value={reason}
            data-autofocus
            onChange={(event) => {
              setReason(event.currentTarget.value);
            }}
          />
          {error !== null && <ErrorState error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button
              type="submit"
              {...(isDrill ? {} : { color: 'red' })}
              loading={isPending}
              disabled={!isDrill && reason.trim() === ''}
            >
              {isDrill ? 'Start the drill' : 'Roll back'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function rollbackText(current: RouteRevision, to: RouteRevision): string {
  return `Publishes the arms of revision ${to.revision} (${armsText(to)}) again, in place of revision ${current.revision} (${armsText(current)}). No request fails.`;
}

function drillText(current: RouteRevision, to: RouteRevision): string {
  return `Publishes revision ${to.revision} (${armsText(to)}) and at once revision ${current.revision} (${armsText(current)}) again. Requests that arrive in between are answered by the former version; none fails. Both revisions are marked as a drill, and the level of maturity counts it.`;
}
