import type { CallParts } from '../conversation/call-parts.ts';
import type { RunningCall } from '../conversation/ports.ts';

/** Starts the conversation of a call, which ends when the signal aborts. */
export type StartCall = (
  call: Pick<
    CallParts,
    | 'conversationId'
    | 'guildId'
    | 'shownIn'
    | 'callId'
    | 'input'
    | 'output'
    | 'echoes'
    | 'interludes'
    | 'captions'
    | 'words'
    | 'settings'
    | 'peopleCount'
    | 'onPhase'
    | 'onTimings'
    | 'log'
  >,
  signal: AbortSignal,
) => RunningCall;
