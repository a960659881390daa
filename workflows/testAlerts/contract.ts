export const WORKFLOW = 'testAlerts';

export function testAlertsWorkflowId(id: string): string {
  return `alerts/test-${id}`;
}

export interface TestAlertsInput {
  requestedBy: string;
}
