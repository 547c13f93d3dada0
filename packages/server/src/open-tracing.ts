import type { Config } from './config/load-config.ts'
import { AuthconnError } from './core/errors.ts'
import type { Log } from './core/ports.ts'
import type { Tracing } from './tracing.ts'
import { version } from './version.ts'

/** undefined where no collector is named; nothing of OpenTelemetry is loaded then. Throws setting_invalid. */
export async function openTracing({ tracing }: Config, log: Log): Promise<Tracing | undefined> {
  const { url, ratio } = tracing
  if (url === undefined) return undefined
  const { startTracing } = await import('./adapters/otel/start-tracing.ts').catch((cause) => {
    if (cause?.code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const detail =
      'AUTHCONN_OTLP_ENDPOINT is set, but this installation was made without its optional dependencies: install it with them'
    throw new AuthconnError('setting_invalid', detail, { cause })
  })
  return startTracing({ url, ratio, version, log })
}
