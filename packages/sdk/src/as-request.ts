/** A fetch's input where it is a Request: told by what it has, as the class may be another library's. */
export function asRequest(input: Parameters<typeof fetch>[0]): Request | undefined {
  return typeof input === 'object' && 'headers' in input ? input : undefined
}
