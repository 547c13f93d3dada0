interface Input {
  /** Where the API tells who the token is for. */
  url: string
}

export default async function whoAmI({ url }: Input) {
  const tokens = await tailor.authconnection.getConnectionToken('google-oauth')
  const response = await fetch(url, { headers: { Authorization: `Bearer ${tokens.access_token}` } })
  if (!response.ok) throw new Error(`The API answered with ${response.status}.`)
  return { account: await response.json(), until: tokens.expires_at }
}
