/**
 * Opens the browser. Resolves once the program that opens it has ended, which can be when the browser is closed: to why it
 * could not, or to undefined when it could.
 */
export async function openBrowser(url: string): Promise<string | undefined> {
  try {
    const { default: open } = await import('open')
    const opener = await open(url)
    return await new Promise((resolve) => {
      opener.once('error', (error) => resolve(error.message))
      opener.once('exit', (code) =>
        resolve(code === 0 || code === null ? undefined : `the program that opens it ended with ${code}`),
      )
    })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
