import { AuthconnError } from '@authconn/sdk'

/** Variables by which a program would reach the vault itself; none of them is for the programs that get tokens. */
export const ofVault = /^AUTHCONN_/i

/** Those by which GitHub Actions gives a job its identity, to the vault and to whoever else trusts the job. */
export const ofIdentity = /^ACTIONS_ID_TOKEN_REQUEST_(?:URL|TOKEN)$/i

/** Throws usage where it is no name of a variable, or one that is never handed on. */
export function checkVariable(name: string, flag: string): void {
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw new AuthconnError(
      'usage',
      `${flag}: a variable has letters, digits and underscores, and begins with no digit.`,
    )
  }
  if (ofVault.test(name)) {
    throw new AuthconnError(
      'usage',
      `${flag}: variables that begin with AUTHCONN_ are settings of authconn itself.`,
    )
  }
}
