const decision = {
  file: 'domain/approval/pending-decision.ts',
  tests: ['domain/approval/pending-decision.test.ts'],
};
const undos = { file: 'workflows/common/unwind.ts', tests: ['workflows/common/unwind.test.ts'] };
const steps = { file: 'workflows/common/progress.ts', tests: ['workflows/common/progress.test.ts'] };

/** @type {{ name: string, file: string, find: string, replace: string, tests: string[] }[]} */
export default [
  {
    ...undos,
    name: 'an undo is registered after its deed',
    find: 'this.registered.push({ name, undo });\n    return await deed();',
    replace: 'const done = await deed();\n    this.registered.push({ name, undo });\n    return done;',
  },
  {
    ...undos,
    name: 'the oldest deed is taken back first',
    find: 'this.registered.reverse()',
    replace: 'this.registered',
  },
  {
    ...undos,
    name: 'an undo that fails stops the others',
    find: 'failures.push({ name, error });',
    replace: 'failures.push({ name, error });\n        break;',
  },
  {
    ...undos,
    name: 'what was taken back is taken back again',
    find: '    this.registered = [];\n    const failures',
    replace: '    const failures',
  },
  {
    ...undos,
    name: 'a deed that is final can still be taken back',
    find: 'clear(): void {\n    this.registered = [];',
    replace: 'clear(): void {',
  },
  {
    ...decision,
    name: 'the deadline is ignored',
    find: "if (nowMs >= this.deadlineMs) return 'the deadline of this decision has passed';",
    replace: '',
  },
  {
    ...decision,
    name: 'a decision at the very deadline counts',
    find: 'nowMs >= this.deadlineMs',
    replace: 'nowMs > this.deadlineMs',
  },
  {
    ...decision,
    name: 'a second decision overwrites the first',
    find: "if (this.decided !== null) return 'this has been decided already';",
    replace: '',
  },
  {
    ...decision,
    name: 'a decision that was authorised late is taken without another look',
    find: 'const refusal = this.refusal(decision, nowMs);',
    replace: 'const refusal = this.terms === null ? this.refusal(decision, nowMs) : null;',
  },
  {
    ...decision,
    name: 'a decision on something else counts',
    find: "if (fields['digest'] !== digest)",
    replace: "if (fields['digest'] === '')",
  },
  {
    ...decision,
    name: 'an expiry overwrites a decision',
    find: "this.decided ??= { verdict: 'expired' };",
    replace: "this.decided = { verdict: 'expired' };",
  },
  {
    ...steps,
    name: 'a run that is over leaves steps pending',
    find: "if (step.status === 'pending') step.status = 'skipped';",
    replace: "if (step.status === 'skipped') step.status = 'pending';",
  },
  {
    ...steps,
    name: 'closing a run skips a step that failed',
    find: "if (step.status === 'pending') step.status = 'skipped';",
    replace: "if (step.status !== 'done') step.status = 'skipped';",
  },
];
