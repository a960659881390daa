/** A JSON document of so many bytes: what a floor answers with, whatever it was asked. */
export function answerOf(bytes: number): string {
  const empty = JSON.stringify({ padding: '' });
  return JSON.stringify({ padding: 'x'.repeat(Math.max(0, bytes - empty.length)) });
}
