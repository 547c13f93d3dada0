/** The flag for a subject, to be copied into a shell; nothing for the application itself. */
export function subjectFlag(subject: string | null): string {
  return subject === null ? '' : ` --subject ${shellWord(subject)}`
}

/** One word for a POSIX shell, whatever is in it. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
