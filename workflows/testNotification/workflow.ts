import { workflowInfo } from '@temporalio/workflow';
import type { ChannelTest } from '../../activities/notification/contract.js';
import { noRetry } from '../common/proxies.js';
import type { TestNotificationInput } from './contract.js';

/** A test notification through every channel of the worker that notifies people, with its settings and its network. */
export function testNotification({ requestedBy }: TestNotificationInput): Promise<ChannelTest[]> {
  return noRetry.testChannels({ key: workflowInfo().workflowId, requestedBy });
}
