// Given to a process by --import: writes down each module of a package that it loads.
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, next) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? []
    if (name) appendFileSync(process.env.RECORDED_MODULES ?? '', `${name}\n`)
    return next(url, context)
  },
})
