/** Names of variables whose values are secrets. */
const SECRET_NAME = /TOKEN|PASSWORD|SECRET|KEY/i;

/**
 * A text from the child without what may not be repeated: credentials in addresses, and the values of secret variables it was given.
 */
export function redact(text: string, env: Readonly<Record<string, string>>): string {
  const values = Object.entries(env).flatMap(([name, value]) =>
    SECRET_NAME.test(name) && value !== '' ? [value] : [],
  );
  const withoutLogins = text.replaceAll(/\/\/[^/@\s]+@/g, '//');
  return values.reduce((rest, value) => rest.replaceAll(value, '[secret]'), withoutLogins);
}
