import type { NewTrust } from '@authconn/shared'
import type { Context } from '../context.ts'

/** Tells what a trust lets in or gives only because nothing was said. */
export function warnOfWidth({ warn }: Pick<Context, 'warn'>, { preset, claims, connections }: NewTrust): void {
  const narrowing = preset === undefined ? undefined : ofJobs[preset]
  if (narrowing && !claims.some(({ claim }) => narrowing.claims.includes(claim))) {
    warn(
      `jobs on every branch are taken, so whoever may push one gets a key: ${narrowing.advice} leaves out the others.`,
    )
  }
  if (connections === undefined) {
    warn('without --connection its keys are for every connection that yours is for, those of tomorrow included.')
  }
}

/** By preset, the claims that leave out jobs which anybody with a branch can start. */
const ofJobs: Partial<Record<NonNullable<NewTrust['preset']>, { claims: readonly string[]; advice: string }>> = {
  github: {
    claims: ['environment', 'ref', 'job_workflow_ref', 'workflow_ref', 'sub'],
    advice: '--environment or --ref',
  },
  gitlab: {
    claims: ['environment', 'ref', 'ref_protected', 'ref_path', 'ci_config_ref_uri', 'sub'],
    advice: '--ref-protected, --ref or --environment',
  },
}
