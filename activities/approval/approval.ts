import type { Caller } from '../../domain/approval/caller.js';
import { authorise, refusal, type Authorisation, type Role } from '../../domain/approval/authorise.js';
import { operationAsDecision, proofMatches } from '../../domain/approval/proof.js';
import { provenDigest } from '../../domain/approval/proven-digest.js';
import { overrideLine } from '../../domain/release/overrides.js';
import { validate } from '../../platform/validate.js';
import type { ApprovalActivities } from './contract.js';
import type { DecisionLog } from '../../stores/decision-log.js';
import { readPrincipals } from './principals.js';

export interface ApprovalDeps {
  log: DecisionLog;
  /** `.sluice/principals.json`; read at every question, so that an edit counts at once */
  principalsFile: string;
}

export function createApprovalActivities({ log, principalsFile }: ApprovalDeps): ApprovalActivities {
  const principalOf = async (name: string) =>
    (await readPrincipals(principalsFile)).find((one) => one.name === name) ?? null;

  return {
    async authorizeDecision(input) {
      const { workflowId, model, requester, requesterMayApprove } = input;
      const decision = validate('decision', input.decision);
      const { decisionId, verdict, actor, reason, digest, proof, edits, overrides } = decision;
      const proven = { decisionId, verdict, actor, workflowId, digest: provenDigest(digest, edits, overrides) };
      return log.once(
        {
          model,
          workflowId,
          id: decisionId,
          subject: verdict,
          actor,
          reason,
          digest,
          requester,
          ...(edits === undefined ? {} : { edits }),
          ...(overrides === undefined ? {} : { overriddenGates: overrides }),
        },
        proof,
        async () => {
          const principal = await principalOf(actor);
          const ask = (role: Role): Authorisation =>
            authorise({
              principal,
              actor,
              role,
              principalsFile,
              proven: (tokenSha256) => proof !== undefined && proofMatches(proof, tokenSha256, proven),
            });
          const answer = ask('approver');
          if (answer.allowed && overrides !== undefined) {
            const overriding = ask('overrider');
            if (!overriding.allowed)
              return refusal(`this overrides gates of the model's spec (${overrides.join(', ')}): ${overriding.why}`);
          }
          // A requester who withdraws harms nobody; one who approves alone is what the policy forbids.
          const alone = verdict === 'approve' && actor === requester && !requesterMayApprove;
          return answer.allowed && alone
            ? refusal(
                `${actor} asked for this ${workflowId.startsWith('release/') ? 'release' : 'change'}; the model's policy wants someone else to approve it`,
              )
            : answer;
        },
      );
    },

    async principalNames() {
      return (await readPrincipals(principalsFile)).map(({ name }) => name);
    },

    async authorizeOperation(input) {
      const { model, workflowId, operationId, operation } = input;
      const { actor, reason, proof } = validate('caller', callerIn(input));
      return log.once(
        { model, workflowId, id: operationId, subject: operation, actor, reason, digest: null, requester: actor },
        proof,
        async () =>
          authorise({
            principal: await principalOf(actor),
            actor,
            role: 'operator',
            principalsFile,
            proven: (tokenSha256) =>
              proof !== undefined &&
              proofMatches(proof, tokenSha256, operationAsDecision({ operationId, operation, actor, workflowId })),
          }),
      );
    },

    async authorizeRequest(input) {
      const { model, workflowId, runId, requestId, request, overrides, overrideReason } = input;
      const { actor, reason, proof } = validate('caller', input.caller);
      const weakened = overrides.filter(({ weakens }) => weakens);
      return log.once(
        {
          model,
          workflowId,
          id: runId,
          subject: request,
          actor,
          reason: overrideReason ?? reason,
          digest: null,
          requester: actor,
          ...(overrides.length === 0 ? {} : { overrides }),
        },
        proof,
        async () => {
          const principal = await principalOf(actor);
          const ask = (role: Role): Authorisation =>
            authorise({
              principal,
              actor,
              role,
              principalsFile,
              proven: (tokenSha256) =>
                proof !== undefined &&
                proofMatches(
                  proof,
                  tokenSha256,
                  operationAsDecision({ operationId: requestId, operation: request, actor, workflowId }),
                ),
            });
          const asked = ask('requester');
          if (!asked.allowed || weakened.length === 0) return asked;
          const what = `this weakens the model's spec (${weakened.map(overrideLine).join('; ')})`;
          const weakening = ask('overrider');
          if (!weakening.allowed) return refusal(`${what}: ${weakening.why}`);
          return overrideReason === null ? refusal(`${what}: say why, with --reason`) : weakening;
        },
      );
    },
  };
}

/** The caller's fields, which stand beside the operation's. */
function callerIn({ actor, reason, proof }: Caller): Caller {
  return { actor, reason, ...(proof === undefined ? {} : { proof }) };
}
