// The packages that carry Node name their platform as a string where a list is due, and pnpm passes over it:
// without this every machine would download the Node of every other platform too.
const listed = (value) => (typeof value === 'string' ? [value] : value)

module.exports = {
  hooks: {
    readPackage(manifest) {
      if (!/^node-(bin-)?(linux|darwin|win)-/.test(manifest.name)) return manifest
      return { ...manifest, os: listed(manifest.os), cpu: listed(manifest.cpu) }
    },
  },
}
