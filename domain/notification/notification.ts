/** Something a person should know; `key` names the occasion, so that it is sent once however often the activity runs. */
export interface Notification {
  key: string;
  severity: 'info' | 'warning' | 'critical';
  title: string;
  text: string;
  /** the next step, for whoever reads it */
  whatToDo?: string;
  /** the run that it is about, where that is not the one that calls */
  workflowId?: string;
  /** instead of the run's page in the Temporal UI */
  link?: string;
}
