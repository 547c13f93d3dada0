/** Opens the browser without waiting for it; when that fails, which may show late, says why. */
export function openBrowser(url: string, failed: (reason: string) => void): void {
  const fail = (error: unknown) => failed(error instanceof Error ? error.message : String(error))
  import('open')
    .then(async ({ default: open }) => {
      const opener = await open(url)
      opener.once('error', fail)
      opener.once('exit', (code) => {
        if (code !== 0 && code !== null) failed(`the program that opens it ended with ${code}`)
      })
    })
    .catch(fail)
}
