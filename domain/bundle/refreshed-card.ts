import type { ArtifactVersion, PerCategoryThresholds } from '../../schemas/types.js';
import { escapeMarkdown, markdownTable } from '../markdown/escape.js';
import type { ManifestInput } from './manifest.js';
import { LOOKUPS_HEADING, lookupsSections, THRESHOLDS_HEADING, thresholdsSections } from './model-card.js';

const THIS_BUNDLE_HEADING = '## This bundle';

export interface RefreshedCardInput {
  manifest: Pick<ManifestInput, 'model' | 'version' | 'releaseId' | 'gitSha' | 'parentVersion'>;
  /** names of the files that differ from the bundle before */
  replaced: readonly string[];
  /** every lookup of the bundle, as it is now */
  lookups: readonly { name: string; file: string; made: ArtifactVersion }[];
  /** set where the thresholds were replaced */
  thresholds: { document: PerCategoryThresholds; segment: string } | null;
}

/**
 * The model card of a bundle with the same model and other artifacts: what it says of the model stands as it was released, what it says of
 * the bundle is written anew. The same input gives the same text.
 * @param card the card of the bundle before, itself perhaps refreshed
 */
export function refreshedCard(card: string, input: RefreshedCardInput): string {
  const { manifest, replaced, lookups, thresholds } = input;
  const anew = [LOOKUPS_HEADING, THIS_BUNDLE_HEADING, ...(thresholds === null ? [] : [THRESHOLDS_HEADING])];
  const sections = card.split(/^(?=#{1,2} )/m);
  const kept = sections
    .filter((section) => section.startsWith('## ') && !anew.some((heading) => section.startsWith(`${heading}\n`)))
    .map((section) => section.trimEnd());
  // Text between the title and the first heading is the model's description.
  const description = (sections[0] ?? '').split('\n').slice(1).join('\n').trim();
  return (
    [
      `# ${escapeMarkdown(manifest.model)} ${manifest.version}`,
      ...(description === '' ? [] : [description]),
      THIS_BUNDLE_HEADING,
      'The same model as in the bundle it replaces; the sections on lineage, data, figures and features are about that model.',
      markdownTable(
        ['what', 'value'],
        [
          ['change', manifest.releaseId],
          ['replaces', manifest.parentVersion ?? ''],
          ['git commit', manifest.gitSha],
          ['replaced files', replaced.join(', ')],
        ],
      ),
      ...kept,
      ...(thresholds === null
        ? []
        : thresholdsSections(thresholds.document, thresholds.segment, `replaced by ${manifest.releaseId}`)),
      ...lookupsSections(
        lookups.map(({ name, file, made }) => ({
          name,
          made,
          from: replaced.includes(file) ? 'this change' : 'the bundle before',
        })),
      ),
    ].join('\n\n') + '\n'
  );
}
