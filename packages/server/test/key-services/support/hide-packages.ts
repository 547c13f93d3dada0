import { registerHooks } from 'node:module'

/** Makes the clients of the key services not to be found, in the process that loads this. */
registerHooks({
  resolve(specifier, context, next) {
    if (!/^(@aws-sdk\/|@azure\/|google-auth-library)/.test(specifier)) return next(specifier, context)
    throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})
