/** Whether people log in with Microsoft Entra ID, which has ways of its own. */
export function isEntra(issuer: string): boolean {
  return URL.canParse(issuer) && hosts.has(new URL(issuer).hostname)
}

/** https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud */
const hosts: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'sts.windows.net',
])
