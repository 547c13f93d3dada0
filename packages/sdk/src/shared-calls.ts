interface Running<T> {
  result: Promise<T>
  stop: AbortController
  waiting: number
}

/**
 * Lets those who ask the same thing at once share one call. Each can leave by its own signal, and throws that signal's
 * reason then; when all have left, the call is ended.
 */
export function createSharedCalls<T>() {
  const running = new Map<string, Running<T>>()

  function begin(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const stop = new AbortController()
    const call: Running<T> = { result: work(stop.signal), stop, waiting: 0 }
    running.set(key, call)
    const end = () => forget(key, call)
    call.result.then(end, end)
    return call
  }

  function forget(key: string, call: Running<T>): void {
    if (running.get(key) === call) running.delete(key)
  }

  return function share(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const call = running.get(key) ?? begin(key, work)
    call.waiting++
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal?.reason)
        call.waiting--
        if (call.waiting > 0) return
        forget(key, call)
        call.stop.abort(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      const stay = () => signal?.removeEventListener('abort', leave)
      call.result.then(resolve, reject).then(stay, stay)
    })
  }
}
