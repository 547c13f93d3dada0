import { fileURLToPath } from 'node:url'

/** The path of a program that lies beside `main`, in the sources as in what is built of them. */
export function besideMain(name: string): string {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  return fileURLToPath(new URL(`./${name}${extension}`, import.meta.url))
}
