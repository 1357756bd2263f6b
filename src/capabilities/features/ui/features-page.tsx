import { EmptyState, Stack } from '@mantine/core';
import { IconChartDots } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { together } from '../../../web/kit/together.ts';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { listServices, listTrainingSets, listViews } from '../contract.ts';
import { FreshnessSection } from './freshness-section.tsx';
import { ServicesSection } from './services-section.tsx';
import { TrainingSetsSection } from './training-sets-section.tsx';
import { ViewsSection } from './views-section.tsx';

const ITEMS_A_PAGE = 200;
const PAGE = { query: { limit: ITEMS_A_PAGE } };
const OPTIONS = { subjects: ['features', 'training-set'] };

/** What is declared of features, what was made of it, and how current it is. */
export function FeaturesPage(): ReactNode {
  const services = useRoutePages(listServices, PAGE, OPTIONS);
  const views = useRoutePages(listViews, PAGE, OPTIONS);
  const sets = useRoutePages(listTrainingSets, PAGE, OPTIONS);
  const all = together(
    { ...services, data: services.items },
    { ...views, data: views.items },
    { ...sets, data: sets.items },
  );
  return (
    <>
      <PageHeader title="Features" about="One definition for training and for serving" />
      <Loaded query={all} height={400}>
        {([ofServices, ofViews, ofSets]) =>
          ofServices.length + ofViews.length + ofSets.length === 0 ? (
            <NoFeatures />
          ) : (
            <Stack gap="md">
              <ServicesSection items={ofServices} more={services} />
              <ViewsSection items={ofViews} more={views} />
              <TrainingSetsSection items={ofSets} more={sets} />
              <FreshnessSection />
            </Stack>
          )
        }
      </Loaded>
    </>
  );
}

function NoFeatures(): ReactNode {
  return (
    <Section title="Features">
      <EmptyState
        icon={<IconChartDots aria-hidden />}
        title="No feature is declared yet"
        description="Write sources, entities, views and services into millwright.yaml; see what that would change, then make it so."
      >
        <Stack gap="xs">
          <CopyCode isBlock code="millwright plan" />
          <CopyCode isBlock code="millwright apply" />
        </Stack>
      </EmptyState>
    </Section>
  );
}
