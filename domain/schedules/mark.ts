/** The memo by which a schedule is known as ours. Whatever lacks it is somebody else's and is never touched. */
export interface ScheduleMark {
  managedBy: 'sluice';
  model: string;
  schedule: string;
}

export function scheduleMark(model: string, schedule: string): ScheduleMark {
  return { managedBy: 'sluice', model, schedule };
}

/** The mark in a schedule's memo, or null when it is not ours. */
export function readScheduleMark(memo: Record<string, unknown> | undefined): ScheduleMark | null {
  const { managedBy, model, schedule } = memo ?? {};
  if (managedBy !== 'sluice' || typeof model !== 'string' || typeof schedule !== 'string') return null;
  return { managedBy, model, schedule };
}
