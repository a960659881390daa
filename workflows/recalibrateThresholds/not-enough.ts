import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import type { NotEnoughFeedback } from '../../activities/recalibration/contract.js';
import { notificationOf } from '../../domain/notification/events.js';
import { handOverSince } from '../common/notify.js';
import { shortCalls } from '../common/proxies.js';
import type { ThresholdsRun } from './run.js';

/** Too little feedback, and what it is the same as long as. */
export interface TooLittle {
  tooLittle: string;
  while: Partial<NotEnoughFeedback>;
}

/** Too little feedback is an answer; every other failure is one. */
export function tooLittle(error: unknown): TooLittle {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'NotEnoughFeedback') throw error;
  return { tooLittle: cause.message, while: cause.details?.[0] ?? {} };
}

/** The run ends without a proposal. Told once for a model version, until there is a proposal: the next week's says nothing new. */
export function endWithTooLittle(run: ThresholdsRun, { tooLittle: why, while: same }: TooLittle): void {
  const { model, key } = run.input;
  const occasion = `${same.modelVersion ?? key}/${same.newestProposal ?? 'none'}`;
  const notification = notificationOf(
    'notEnoughFeedback',
    `thresholds/${model}/not-enough-feedback/${occasion}`,
    workflowInfo().workflowId,
    { model, why },
  );
  run.trackNotification(handOverSince(model, notification, shortCalls));
  run.end('NotEnoughFeedback', why);
}
