import type { Clock } from '../time/clock.ts';

/** How long a finished event stream may take to end by itself before its connection is given up. */
const DRAIN_MS = 500;

/**
 * `fetch` for the SDK, which stops reading an event stream at `[DONE]`. The last bytes of the HTTP response often come a
 * moment later, and undici then destroys the connection instead of keeping it for the next turn, which costs that turn
 * a TCP and a TLS handshake. Here a stream that is let go is read to its end in the background, for at most
 * {@link DRAIN_MS}. Aborting the request's signal still closes the socket at once.
 */
export function keepAliveFetch(clock: Clock): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.ok || response.body === null || !isEventStream(response)) return response;
    const source = response.body.getReader();
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await source.read();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel(reason) {
          if (init?.signal?.aborted) await source.cancel(reason);
          else void drain(source, clock);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, response);
  };
}

/** Whether the server says that it sends server-sent events. */
export function isEventStream(response: Response): boolean {
  return response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') ?? false;
}

async function drain(source: ReadableStreamDefaultReader<Uint8Array>, clock: Clock): Promise<void> {
  using _ = clock.after(DRAIN_MS, () => void source.cancel().catch(() => {}));
  try {
    while (!(await source.read()).done);
  } catch {
    // The connection broke after the answer was complete: nobody waits for it any more.
  }
}
