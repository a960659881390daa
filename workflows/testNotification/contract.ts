export const WORKFLOW = 'testNotification';

/** The prefix is that of before the workflow was renamed: ids stay as they were. */
export function testNotificationWorkflowId(id: string): string {
  return `alerts/test-${id}`;
}

export interface TestNotificationInput {
  requestedBy: string;
}
