/** What may stand on a span: words and numbers that are no secret, name no connection and hold no URL. */
export type SpanFacts = Readonly<Record<string, string | number>>

/** A request's own span, and what goes on inside it. */
export interface RequestTrace {
  /** Runs work, and all that follows from it, inside this span. */
  run(work: () => void): void
  failed(code: string): void
  /** undefined: its client has left before the answer. */
  end(status: number | undefined): void
}

export interface Tracing {
  /** Continues the trace that the headers tell of (W3C Trace Context), or begins one. */
  begin(
    name: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    facts: SpanFacts,
  ): RequestTrace
  /** The same work, each call of it a span inside the one that it is called in. */
  wrap<A extends unknown[], T>(
    name: string,
    work: (...given: A) => Promise<T>,
    options?: { isOutbound?: boolean; before?(...given: A): SpanFacts; after?(result: T): SpanFacts },
  ): (...given: A) => Promise<T>
  /** What log lines are marked with, wherever they are written. */
  logFields(): { trace_id?: string }
  /** Sends what there is, within a few seconds. */
  stop(): Promise<void>
}
