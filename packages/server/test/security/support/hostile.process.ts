import { createServer } from 'node:http'
import { wire } from './misbehaviours.ts'

// A process of its own, so that what it uses up is not counted as the vault's. Its channel is its life.

const server = createServer((request, response) => {
  request.socket.on('error', () => undefined)
  response.on('error', () => undefined)
  const index = Number(request.url?.split('/')[1])
  request.resume().on('end', () => Object.values(wire)[index]?.(request, response))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(address !== null && typeof address === 'object' ? address.port : 0)
})
process.on('disconnect', () => process.exit(0))
