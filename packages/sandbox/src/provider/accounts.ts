import type { FindAccount } from 'oidc-provider'

/** Every name is an account: `alice` has the address alice@example.com. */
export const findAccount: FindAccount = (_ctx, sub) => ({
  accountId: sub,
  claims: () => ({
    sub,
    name: sub,
    preferred_username: sub,
    email: sub.includes('@') ? sub : `${sub}@example.com`,
    email_verified: true,
  }),
})
