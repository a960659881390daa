import type { Caller } from '../../domain/approval/caller.js';
import { authorise, refusal, type Authorisation, type Role } from '../../domain/approval/authorise.js';
import { operationAsDecision, proofMatches, type ProvenDecision } from '../../domain/approval/proof.js';
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
  const askerFor = askerOf(principalsFile);
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
          const ask = await askerFor(actor, proof, proven);
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
        async () => {
          const proven = operationAsDecision({ operationId, operation, actor, workflowId });
          return (await askerFor(actor, proof, proven))('operator');
        },
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
          const proven = operationAsDecision({ operationId: requestId, operation: request, actor, workflowId });
          const ask = await askerFor(actor, proof, proven);
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

/** Asks for one role after another in one reading of the principals; `proven` is what the proof must be made of. */
function askerOf(principalsFile: string) {
  return async (
    actor: string,
    proof: string | undefined,
    proven: ProvenDecision,
  ): Promise<(role: Role) => Authorisation> => {
    const principal = (await readPrincipals(principalsFile)).find(({ name }) => name === actor) ?? null;
    return (role) =>
      authorise({
        principal,
        actor,
        role,
        principalsFile,
        proven: (tokenSha256) => proof !== undefined && proofMatches(proof, tokenSha256, proven),
      });
  };
}

/** The caller's fields, which stand beside the operation's. */
function callerIn({ actor, reason, proof }: Caller): Caller {
  return { actor, reason, ...(proof === undefined ? {} : { proof }) };
}
