// Loaded into a child with --import: when its parent is gone, even by SIGKILL, the child goes too. At once, since
// nobody reads its output or needs its data any more.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// Listening holds the channel open on purpose, and nothing else of the process.
process.channel?.unref()
