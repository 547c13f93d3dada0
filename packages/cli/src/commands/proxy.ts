import { defineCommand } from '../command.ts'
import { duration, integer, text } from '../flags.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { checkUpstream } from '../proxy/check-upstream.ts'
import { serveProxy } from '../proxy/serve-proxy.ts'

export const proxy = defineCommand({
  description:
    'It listens on 127.0.0.1, and passes each request on to the upstream with the token in the Authorization header. Each request asks the vault; when the upstream refuses the token with 401, the request is sent once more with another one, if its body is no longer than 1 MiB. Requests of browsers are refused, and on Linux those of programs of other users; elsewhere any program on this machine can use it.',
  operand: nameOperand,
  flags: {
    ...nameFlag,
    upstream: text('URL', 'the API: its origin, and the path below which requests may go'),
    port: integer('PORT', 'the port to listen on; 0 for any that is free', { from: 0, to: 65_535, fallback: 0 }),
    subject: text('SUBJECT', "the token of this user of the application, instead of the application's own"),
    minTtl: duration('how long the token must still be valid for when a request begins', { from: 0, to: 86_400 }),
  },
  examples: [
    [
      'authconn proxy github --upstream https://api.github.com --port 8123',
      'then: curl http://127.0.0.1:8123/user',
    ],
    [
      'authconn proxy openai --upstream https://api.example.com/v1 --port 8124',
      'only what is below /v1: http://127.0.0.1:8124/models',
    ],
  ],

  async run(ctx, { upstream: given, port, subject, minTtl, ...flags }, operands): Promise<undefined> {
    const upstream = checkUpstream(given)
    const name = await existingName(ctx, flags, operands)
    const vault = await ctx.vault()
    const asked = { subject, minTtl }
    // What is wrong with the connection is better said now than to the first program.
    await ctx.waitFor('Fetching the token', vault.getConnectionToken(name, { ...asked, signal: ctx.signal }))
    const serving = await serveProxy({
      upstream,
      port,
      getToken: (more) => vault.getConnectionToken(name, { ...asked, ...more }),
    })
    ctx.say(`Listening on ${serving.url}, for ${upstream.href} with the token of ${name}. Ctrl-C ends it.`, {
      url: serving.url,
      upstream: upstream.href,
      connection: name,
    })
    await new Promise<void>((resolve) => {
      if (ctx.signal.aborted) resolve()
      ctx.signal.addEventListener('abort', () => resolve())
    })
    await serving.close()
  },

  render: () => '',
})
