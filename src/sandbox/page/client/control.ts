import type { ControlMethods, ModelRequestRecord, SandboxEvent } from '../../control/protocol.ts';
import { isJson, textIn } from './json.ts';

type Arguments<Method extends keyof ControlMethods> = Parameters<ControlMethods[Method]>[0];
type Result<Method extends keyof ControlMethods> = Awaited<ReturnType<ControlMethods[Method]>>;

const RECONNECT_MS = 1000;

/** The sandbox has refused; the message is its reason. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Does something in the sandbox. All the page does goes this way. @throws {RefusedError} */
export async function call<Method extends keyof ControlMethods>(
  method: Method,
  args: Arguments<Method>,
): Promise<Result<Method>>;
export async function call(method: keyof ControlMethods, args: unknown): Promise<unknown> {
  const response = await fetch(`/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(args),
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  throw new RefusedError((isJson(answer) ? textIn(answer, 'error') : undefined) ?? String(response.status));
}

/** Requests that may come in the same millisecond: a turn is asked and written down at once. */
const AT_ONCE = 4;

/** What the sandbox's model keeps of a request. */
export async function recordOf({
  id,
  requestAtMs,
}: {
  id: string;
  requestAtMs: number;
}): Promise<ModelRequestRecord | undefined> {
  const records = await call('modelRequests', { sinceMs: requestAtMs, limit: AT_ONCE });
  return records.find((record) => record.id === id);
}

/** Follows what happens in the sandbox, for as long as the page is open. */
export function follow(onEvent: (event: SandboxEvent) => void, onConnection: (connected: boolean) => void): void {
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/events`);
  socket.addEventListener('open', () => onConnection(true));
  socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
    const event: unknown = JSON.parse(data);
    if (isEvent(event)) onEvent(event);
  });
  socket.addEventListener('close', () => {
    onConnection(false);
    setTimeout(() => follow(onEvent, onConnection), RECONNECT_MS);
  });
}

/** What comes over the sandbox's own socket has the shape that the protocol says; this only asks whether it is an event. */
function isEvent(value: unknown): value is SandboxEvent {
  return isJson(value) && typeof value['type'] === 'string' && typeof value['atMs'] === 'number';
}
