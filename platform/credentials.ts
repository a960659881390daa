/**
 * A text without the user and password of any URL in it. Addresses reach messages from everywhere: settings, drivers, other people's errors,
 * so this is done once more wherever a text leaves for people: failures, the log, the client's output.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'`]*@/gi, '$1');
}
