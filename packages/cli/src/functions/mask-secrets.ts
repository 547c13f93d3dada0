import { StringDecoder } from 'node:string_decoder'

const masked = '[secret]'

/** As much of a secret that has been cut off is no longer shown as it is. */
const telling = 8

/** Hides secrets in what a program prints: as they are, and in the forms in which they are written into URLs and JSON. */
export function createMask() {
  const forms = new Set<string>()

  function apply(text: string): string {
    let hidden = text
    for (const form of [...forms].sort((a, b) => b.length - a.length)) hidden = hidden.replaceAll(form, masked)
    return hidden
  }

  /** How much of the end may be the beginning of a secret. */
  function uncertain(text: string): number {
    let most = 0
    for (const form of forms) {
      for (let length = Math.min(form.length - 1, text.length); length > most; length--) {
        if (text.endsWith(form.slice(0, length))) most = length
      }
    }
    return most
  }

  return {
    apply,
    add(secret: string): void {
      for (const form of formsOf(secret)) if (form.length >= 4) forms.add(form)
    },
    /** Takes what is printed in pieces, however a secret is split over them, and hands on what can be shown. */
    stream(write: (text: string) => void) {
      const decoder = new StringDecoder('utf8')
      let kept = ''
      return {
        write(chunk: Buffer): void {
          const text = apply(kept + decoder.write(chunk))
          const length = text.length - uncertain(text)
          kept = text.slice(length)
          if (length > 0) write(text.slice(0, length))
        },
        end(): void {
          const rest = apply(kept + decoder.end())
          const cut = uncertain(rest)
          kept = ''
          if (rest !== '') write(cut < telling ? rest : `${rest.slice(0, -cut)}${masked}`)
        },
      }
    },
  }
}

export type Mask = ReturnType<typeof createMask>

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ]
}
