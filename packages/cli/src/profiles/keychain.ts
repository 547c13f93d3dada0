import { AuthconnError } from '@authconn/sdk'

/** Where the operating system keeps secrets: the Keychain of macOS, the Credential Manager of Windows, a Secret Service. */
export interface Keychain {
  /** undefined when it holds none. Throws keychain_unavailable. */
  find(account: string): Promise<string | undefined>
  keep(account: string, secret: string): Promise<void>
  /** Also when there was none. Throws keychain_unavailable where it may still be there. */
  forget(account: string): Promise<void>
}

const service = 'authconn'
/** On Linux the library would fall back to the kernel's keyring, which forgets everything when the machine restarts. */
const options = { linux: { store: 'secret-service' } } as const

/** The keychain of this machine. Its library is optional, and is loaded here only. Throws keychain_unavailable. */
export async function openKeychain(): Promise<Keychain> {
  const { AsyncEntry } = await import('@napi-rs/keyring').catch((cause: unknown) => {
    throw unavailable('The library for it (@napi-rs/keyring) is not installed for this platform.', cause)
  })
  const ask = <T>(account: string, work: (entry: InstanceType<typeof AsyncEntry>) => Promise<T>): Promise<T> => {
    // The constructor refuses where there is no such service; what it is asked may be refused later.
    return Promise.resolve()
      .then(() => work(new AsyncEntry(service, account, options)))
      .catch((cause: unknown) => {
        throw unavailable(cause instanceof Error ? cause.message : String(cause), cause)
      })
  }
  return {
    find: async (account) => (await ask(account, (entry) => entry.getPassword())) ?? undefined,
    keep: (account, secret) => ask(account, (entry) => entry.setPassword(secret)),
    forget: async (account) => void (await ask(account, (entry) => entry.deleteCredential())),
  }
}

function unavailable(detail: string, cause: unknown): AuthconnError {
  return new AuthconnError('keychain_unavailable', detail, { cause })
}
