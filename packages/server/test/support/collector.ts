import { createServer } from 'node:http'

/** A span as OTLP writes it in JSON, its attributes as an object. */
export interface ReceivedSpan {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  attributes: Record<string, string | number>
  /** 2: error. */
  status: number | undefined
}

/** An OpenTelemetry collector that keeps what it is sent. */
export async function startCollector() {
  const bodies: Buffer[] = []
  const refused = { status: 0 }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    // The headers too may say what they should not.
    bodies.push(Buffer.from(JSON.stringify(request.headers)), Buffer.concat(chunks))
    response.writeHead(refused.status || 200, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()

  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    /** Answers with that status from now on; 0: takes what comes. */
    refuse: (status: number) => {
      refused.status = status
    },
    received: () => Buffer.concat(bodies),
    spans: () => bodies.filter((_body, index) => index % 2 === 1).flatMap(readSpans),
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

interface Otlp {
  resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[]
}

interface OtlpSpan extends Omit<ReceivedSpan, 'attributes' | 'status'> {
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
  status: { code?: number }
}

function readSpans(body: Buffer): ReceivedSpan[] {
  const { resourceSpans }: Otlp = JSON.parse(body.toString())
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map(({ name, kind, traceId, spanId, parentSpanId, attributes, status }) => ({
      name,
      kind,
      traceId,
      spanId,
      parentSpanId: parentSpanId || undefined,
      attributes: Object.fromEntries(
        attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? '']),
      ),
      status: status.code,
    }))
}
