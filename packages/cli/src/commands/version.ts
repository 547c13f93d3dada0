import { defineCommand } from '../command.ts'
import { versionDetails } from '../version.ts'

export const versionCommand = defineCommand({
  flags: {},
  examples: [
    ['authconn version', 'the version of this program'],
    ['authconn version --json', 'with that of Node.js and the platform it runs on, for a report'],
  ],

  async run() {
    return versionDetails()
  },

  render: (result) => result.version,
})
