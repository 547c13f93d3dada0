import type { Tracing } from '../../tracing.ts'
import type { SafeFetch } from './safe-fetch.ts'

/**
 * The same door with a span for each call: the method, the host and the status, and nothing of path, query, headers and
 * bodies. The provider is not told of the trace: the ids are ours, and would let it tell which of our calls belong together.
 */
export function traceCalls(wrap: Tracing['wrap'], safeFetch: SafeFetch): SafeFetch {
  const { policy, close } = safeFetch
  const call = wrap('provider call', (...given: Parameters<SafeFetch>) => safeFetch(...given), {
    isOutbound: true,
    before: (target, request) => ({
      'http.request.method': request?.method ?? 'GET',
      'server.address': URL.parse(String(target))?.hostname ?? 'none',
    }),
    after: ({ status }) => ({ 'http.response.status_code': status }),
  })
  return Object.assign((...given: Parameters<SafeFetch>) => call(...given), { policy, close })
}
