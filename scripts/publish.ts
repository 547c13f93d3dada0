import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pnpm } from './lib/pnpm.mjs'
import { publishable, withRepository } from './lib/publishable.ts'
import { root } from './lib/steps.ts'

// Publishes what has been built. Only the release workflow can: provenance is signed with the identity of its run.
// `node scripts/run.mjs publish --dry-run` shows anywhere what would go out.

const dryRun = process.argv.includes('--dry-run')
const { GITHUB_REPOSITORY: repository, GITHUB_REF_NAME: tag, ACTIONS_ID_TOKEN_REQUEST_URL: identity } = process.env
const packages = publishable(root)

const problems = packages.flatMap(({ directory, manifest: { name, version } }) => [
  ...(existsSync(join(root, directory, 'dist')) ? [] : [`${name} is not built: npm run build`]),
  ...(dryRun || tag === `v${version}` ? [] : [`${name} has version ${version}, and the tag is ${tag ?? 'none'}`]),
])
if (!dryRun && (!repository || !identity))
  problems.push('This is not a run of the release workflow (id-token: write)')

if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exitCode = 1
} else {
  const restore = repository
    ? withRepository(root, packages, `git+https://github.com/${repository}.git`)
    : () => {}
  try {
    const filters = packages.flatMap(({ manifest }) => ['--filter', manifest.name])
    // A tag is checked out as a commit without a branch, which pnpm would refuse.
    const flags = ['publish', '--recursive', '--no-git-checks', ...(dryRun ? ['--dry-run'] : [])]
    process.exitCode = await pnpm(root, [...filters, ...flags], (text) => process.stdout.write(text))
  } finally {
    restore()
  }
}
