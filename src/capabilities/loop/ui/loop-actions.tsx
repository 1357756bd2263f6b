import { Button } from '@mantine/core';
import {
  IconCheck,
  IconPlayerPause,
  IconPlayerPlay,
  IconSnowflake,
  IconX,
  IconRefresh,
  IconSwords,
} from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { call } from '../../../web/kit/client.ts';
import {
  approveLoop,
  challengeLoop,
  resumeLoop,
  stopLoop,
  triggerLoop,
  type Loop,
} from '../contract.ts';
import { ReasonModal, type Act, type Given } from './reason-modal.tsx';

/** Whatever may be done with a loop as it is; each asks for a reason first. */
export function actsOf(loop: Loop): readonly Act[] {
  const params = { loop: loop.name };
  const approve =
    (deny: boolean) =>
    ({ reason }: Given) =>
      call(approveLoop, { params, body: { reason, deny } });
  const held: readonly Act[] =
    loop.instance?.state === 'held'
      ? [
          {
            word: 'Approve',
            icon: <IconCheck size={15} aria-hidden />,
            about: `v${loop.instance.challenger} passed the gate; it takes the traffic, under guard.`,
            send: approve(false),
          },
          {
            word: 'Deny',
            icon: <IconX size={15} aria-hidden />,
            about: `v${loop.instance.challenger} is rejected; the champion stays.`,
            send: approve(true),
          },
        ]
      : [];
  return [
    ...held,
    trigger(params),
    ...challenges(loop),
    ...(loop.stopped === null ? stops(params) : []),
    ...resumes(loop),
  ];
}

type Params = { readonly loop: string };

function trigger(params: Params): Act {
  return {
    word: 'Retrain',
    icon: <IconRefresh size={15} aria-hidden />,
    about:
      'Asks for a new version now. Cooldown, budget and breaker do not hold a person back; broken data, too few rows and the gate do.',
    send: ({ reason }) => call(triggerLoop, { params, body: { reason } }),
  };
}

/** Nothing can be put beside a champion that is not there. */
function challenges({ name, champion }: Loop): readonly Act[] {
  if (champion === null) return [];
  const { model, version } = champion;
  return [
    {
      word: 'Challenge',
      icon: <IconSwords size={15} aria-hidden />,
      about: `Puts an existing version before the gate, as one the loop has trained: it is judged against v${version} on the same days.`,
      asksVersion: { model, champion: version },
      send: ({ reason, challenger }) =>
        call(challengeLoop, {
          params: { loop: name },
          body: {
            version: challenger.version!,
            reason,
            ...(challenger.isOverridden ? { override: reason } : {}),
          },
        }),
    },
  ];
}

function stops(params: Params): readonly Act[] {
  return [
    {
      word: 'Freeze',
      icon: <IconSnowflake size={15} aria-hidden />,
      about: 'It begins nothing until then, and goes on by itself. A guard that runs goes on.',
      asksUntil: true,
      send: ({ reason, until }) =>
        call(stopLoop, { params, body: { reason, ...(until === undefined ? {} : { until }) } }),
    },
    {
      word: 'Stop',
      icon: <IconPlayerPause size={15} aria-hidden />,
      about: 'It begins nothing until somebody resumes it. A guard that runs goes on.',
      send: ({ reason }) => call(stopLoop, { params, body: { reason } }),
    },
  ];
}

/** Also closes the breaker, so it is there whenever something failed. */
function resumes({ name, stopped, breaker }: Loop): readonly Act[] {
  if (stopped === null && breaker.failures === 0) return [];
  const params = { loop: name };
  return [
    {
      word: 'Resume',
      icon: <IconPlayerPlay size={15} aria-hidden />,
      about: 'It goes on; failures so far count no more for breaker and cooldown.',
      send: ({ reason }) => call(resumeLoop, { params, body: { reason } }),
    },
  ];
}

export function LoopActions({ loop }: { readonly loop: Loop }): ReactNode {
  const [act, setAct] = useState<Act>();
  return (
    <>
      {actsOf(loop).map((one) => (
        <Button
          key={one.word}
          size="xs"
          variant={one.word === 'Approve' ? 'filled' : 'default'}
          leftSection={one.icon}
          onClick={() => {
            setAct(one);
          }}
        >
          {one.word}
        </Button>
      ))}
      {act !== undefined && (
        <ReasonModal
          act={act}
          subject={loop.name}
          close={() => {
            setAct(undefined);
          }}
        />
      )}
    </>
  );
}
