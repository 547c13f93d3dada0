// Loaded into a child with --import: when its parent is gone, even by SIGKILL, the child stops as on SIGTERM.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Listening holds the channel open on purpose, and nothing else of the process.
process.channel?.unref()
