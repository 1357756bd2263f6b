import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Facts } from '../../../web/kit/facts.tsx';
import { formatCount, formatShare } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Section } from '../../../web/kit/section.tsx';
import type { Loop, LoopSpec } from '../contract.ts';

const AUTONOMY: Readonly<Record<LoopSpec['autonomy'], string>> = {
  observe: 'observe: says what it would do',
  recommend: 'recommend: a person begins',
  train: 'train: a person approves the roll-out',
  full: 'full: from cause to promotion by itself',
};

/** What the loop was told to do; its hash stands in every decision. */
export function PolicySection({ loop }: { readonly loop: Loop }): ReactNode {
  const { endpoint, spec, policy } = loop;
  const { gate, budget } = spec;
  return (
    <Section title="Policy">
      <Facts
        facts={[
          [
            'Endpoint',
            <PageLink key="endpoint" to="/endpoints/$endpoint" params={{ endpoint }}>
              {endpoint}
            </PageLink>,
          ],
          [
            'Watches',
            <PageLink key="monitor" to="/monitors/$monitor" params={{ monitor: endpoint }}>
              {`monitor ${endpoint}`}
            </PageLink>,
          ],
          ['Trains with', `stage ${spec.pipeline} of dvc.yaml`],
          ['Causes', spec.triggers.map(triggerText).join(', ')],
          [
            'Gate',
            `${gate.metric} on the newest ${spec.holdout}: ${gate.require} at ${formatShare(gate.level, 1)}, in blocks of a ${gate.blocks}`,
          ],
          ['Cooldown', spec.cooldown],
          [
            'Rows',
            `${formatCount(spec.min_rows)} with matured labels since the champion took traffic`,
          ],
          ['Budget', `${formatCount(budget.retrains)} retrains in ${budget.per}`],
          ['Autonomy', AUTONOMY[spec.autonomy]],
          ['Policy', <CopyCode key="hash" code={policy} />],
        ]}
      />
    </Section>
  );
}

function triggerText(trigger: LoopSpec['triggers'][number]): string {
  if (typeof trigger === 'string') return trigger;
  if ('age' in trigger) return `age of ${trigger.age}`;
  return `${formatCount(trigger.new_rows)} new rows`;
}
