// A process that owns a stack, for tests that kill it: node stack-owner.mjs STATE_DIR PART,PART
// Prints the stack's environment as one JSON line when it is ready; SIGTERM and SIGINT stop it in order. Runs what was built.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const { startStack } = await import(new URL('../../dist/stack/index.js', import.meta.url).href);

const [stateDir = '', parts = ''] = process.argv.slice(2);
const starting = startStack({ stateDir, parts: parts.split(','), env: process.env });
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => void starting.then((/** @type {{ stop(): Promise<void> }} */ stack) => stack.stop()));
}
const stack = await starting;
console.log(JSON.stringify(stack.env));
const { error } = await stack.ended;
if (error !== undefined) {
  console.error(error.message);
  process.exitCode = 1;
}
