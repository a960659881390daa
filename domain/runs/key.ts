/**
 * The key of a run: the day, or the day and time where `asOf` is not midnight UTC. Names the workflow and the place of what it stores.
 * @param asOf ISO time
 */
export function runKey(asOf: string): string {
  const [day = '', time = ''] = new Date(asOf).toISOString().split('T');
  const clock = time.slice(0, 5).replace(':', '');
  return clock === '0000' ? day : `${day}T${clock}Z`;
}
