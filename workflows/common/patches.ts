/**
 * Every `patched()` id of the workflows. A changed order or kind of commands goes behind one, so that runs that began on the former code
 * end as it would have ended them; see README.md.
 */
export const PATCHES = {
  /** a refresh whose bundle lost to other changes ends as Superseded with a warning; before: RolloutFailed and a critical notification */
  refreshSuperseded: 'refresh-superseded',
  /** a rollback to a named bundle is composed again where another change went live first; before: it failed */
  rollbackComposesAgain: 'rollback-composes-again',
} as const;
