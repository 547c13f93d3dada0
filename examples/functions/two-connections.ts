interface Input {
  contacts: string
  invoices: string
}

export default async function compare({ contacts, invoices }: Input) {
  const [google, quickbooks] = await Promise.all([
    tailor.authconnection.getConnectionToken('google-oauth'),
    tailor.authconnection.getConnectionToken('quickbooks-oauth'),
  ])
  const [people, bills] = await Promise.all([get(contacts, google), get(invoices, quickbooks)])
  return { people, bills }
}

async function get(url: string, { access_token }: { access_token: string }): Promise<unknown> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${access_token}` } })
  if (!response.ok) throw new Error(`${url} answered with ${response.status}.`)
  return response.json()
}
