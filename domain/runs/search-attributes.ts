import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Which model a run works for. */
export const MODEL_ATTRIBUTE = defineSearchAttributeKey('SluiceModel', SearchAttributeType.KEYWORD);
/** The change that a run makes: a release, a refresh, thresholds, a rollback. */
export const RELEASE_ATTRIBUTE = defineSearchAttributeKey('SluiceRelease', SearchAttributeType.KEYWORD);
/** How a run stands, in its own words. */
export const STATUS_ATTRIBUTE = defineSearchAttributeKey('SluiceStatus', SearchAttributeType.KEYWORD);
/** The step a run is at. */
const STEP_ATTRIBUTE = defineSearchAttributeKey('SluiceStep', SearchAttributeType.KEYWORD);
/** Versions of the bundles that a running workflow needs: nobody deletes those. */
export const HOLDS_ATTRIBUTE = defineSearchAttributeKey('SluiceHolds', SearchAttributeType.KEYWORD_LIST);

/** What every namespace that runs our workflows must know; the stack registers these, a user's own Temporal is checked for them. */
export const SEARCH_ATTRIBUTES = [
  MODEL_ATTRIBUTE,
  RELEASE_ATTRIBUTE,
  STEP_ATTRIBUTE,
  STATUS_ATTRIBUTE,
  HOLDS_ATTRIBUTE,
] as const;
