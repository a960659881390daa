import { workflowInfo } from '@temporalio/workflow';
import type { ChannelTest } from '../../activities/notification/contract.js';
import { noRetry } from '../common/proxies.js';
import type { TestAlertsInput } from './contract.js';

/** A test notice through every channel of the worker that tells people, with its settings and its network. */
export function testAlerts({ requestedBy }: TestAlertsInput): Promise<ChannelTest[]> {
  return noRetry.testChannels({ key: workflowInfo().workflowId, requestedBy });
}
