import { SluiceError } from '../../platform/errors.js';
import type { NotifyActivities } from '../contract.js';

/** Something a person should know; `key` names the occasion, so that a retry tells it once. */
export type Notice = Parameters<NotifyActivities['notify']>[0];

/** One way to reach people. Delivering the same key again must not tell it twice. */
export interface NoticeSink {
  readonly name: string;
  deliver(notice: Notice): Promise<void>;
}

export interface NotifyDeps {
  sinks: readonly NoticeSink[];
}

export function createNotifyActivities({ sinks }: NotifyDeps): NotifyActivities {
  return {
    /** Every sink is tried, whichever of them fails; the retry then reaches the ones that did. */
    async notify(notice) {
      const settled = await Promise.allSettled(sinks.map((sink) => sink.deliver(notice)));
      const failures = settled.flatMap((result, i) =>
        result.status === 'rejected' ? [`${sinks[i]?.name}: ${(result.reason as Error).message}`] : [],
      );
      if (failures.length > 0)
        throw new SluiceError('Unreachable', `${notice.title}: not told everywhere: ${failures.join('; ')}`);
    },
  };
}
