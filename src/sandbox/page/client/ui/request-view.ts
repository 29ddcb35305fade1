import { h, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ModelRequestRecord } from '../../../control/protocol.ts';
import { recordOf } from '../control.ts';
import { isJson, listIn, numberIn, objectIn, textIn } from '../json.ts';
import { nameOf, type Json } from '../state.ts';
import type { Turn } from '../turns.ts';
import { soundUrl } from '../wav.ts';
import { useParts } from './context.ts';

/** What happened on the wire in words, the reply, and the request as it was sent. */
export function RequestView({ turn }: { turn: Turn }): JSX.Element {
  const { strings } = useParts();
  const { inspector } = strings;
  const [record, keep] = useState<ModelRequestRecord | 'gone' | undefined>(undefined);
  useEffect(() => {
    if (turn.endpoint === 'unseen') return undefined;
    let wanted = true;
    void recordOf(turn).then((found) => {
      if (wanted) keep(found ?? 'gone');
    });
    return () => {
      wanted = false;
    };
  }, [turn.id, turn.requestAtMs, turn.endedAtMs]);
  return h(
    'div',
    { class: 'request' },
    turn.endpoint === 'unseen' ? h('p', { class: 'quiet' }, inspector.unseen) : h(Events, { turn }),
    record === 'gone' && h('p', { class: 'quiet' }, inspector.gone),
    typeof record === 'object' &&
      record.reply &&
      h(
        'div',
        { class: 'reply' },
        h('h3', null, inspector.reply),
        h('p', null, record.reply.text),
        record.reply.wav !== undefined && h(Sound, { wav: record.reply.wav, label: inspector.replySound }),
      ),
    typeof record === 'object' && h(Request, { record }),
  );
}

function Events({ turn }: { turn: Turn }): JSX.Element {
  const { state, strings } = useParts();
  const { events, ms } = strings.inspector;
  const ended = turn.abandoned ? events.abandoned : events.ended;
  const list: readonly (readonly [number | undefined, string])[] = [
    ...turn.dropped.map(({ fromMs }) => [fromMs, events.dropped] as const),
    [turn.requestAtMs, events.request],
    [turn.firstByteAtMs, turn.status === undefined ? events.firstByte : `${events.firstByte} (${turn.status})`],
    [turn.firstAudioAtMs, events.firstAudio],
    [turn.reply?.fromMs, events.firstSound],
    ...turn.over.map(({ userId, fromMs }) => [fromMs, events.over(nameOf(state, userId))] as const),
    [turn.endedAtMs, ended],
    [turn.reply?.toMs, events.stopped],
  ];
  const since = (atMs: number): string => {
    const rounded = Math.round(atMs - turn.requestAtMs);
    return `${rounded < 0 ? '−' : '+'}${ms(Math.abs(rounded))}`;
  };
  const known = list.flatMap(([atMs, what]) => (atMs === undefined ? [] : [{ atMs, what }]));
  return h(
    'ol',
    { class: 'events' },
    known
      .toSorted((a, b) => a.atMs - b.atMs)
      .map(({ atMs, what }) => h('li', { key: `${what} ${atMs}` }, h('span', { class: 'at' }, since(atMs)), what)),
  );
}

/** The messages of a request, the history as it was and the new turn with its sound. */
function Request({ record }: { record: ModelRequestRecord }): JSX.Element {
  const { strings } = useParts();
  const body: Json = isJson(record.body) ? record.body : {};
  return h(
    'details',
    { class: 'as-sent' },
    h(
      'summary',
      null,
      strings.inspector.request,
      h('span', { class: 'quiet small' }, ` ${record.path} · ${(record.bodyBytes / 1000).toFixed(1)} kB`),
    ),
    listIn(body, 'messages').map((message, index) => {
      const role = textIn(message, 'role') ?? '';
      return h(
        'div',
        { key: index, class: `sent ${role}` },
        h('h4', null, strings.inspector.roles[role] ?? role),
        h(Content, { message, record }),
      );
    }),
  );
}

function Content({ message, record }: { message: Json; record: ModelRequestRecord }): JSX.Element {
  const { strings } = useParts();
  const whole = textIn(message, 'content');
  const reference = textIn(objectIn(message, 'audio') ?? {}, 'id');
  return h(
    'div',
    null,
    whole !== undefined && h('p', null, whole),
    reference !== undefined && h('p', { class: 'quiet small' }, `audio: ${reference}`),
    listIn(message, 'content').map((part, index) => {
      const text = textIn(part, 'text');
      if (text !== undefined) return h('p', { key: index }, text);
      const wav = record.audio[audioIndex(part)]?.wav;
      return wav === undefined || wav === ''
        ? null
        : h(Sound, { key: index, wav, label: strings.inspector.requestSound });
    }),
  );
}

/** The record has `{ audio: index }` in the place of the sound. */
function audioIndex(part: Json): number {
  const input = objectIn(part, 'input_audio') ?? {};
  return numberIn(objectIn(input, 'data') ?? input, 'audio') ?? -1;
}

function Sound({ wav, label }: { wav: string; label: string }): JSX.Element {
  const [url, keep] = useState<string | undefined>(undefined);
  useEffect(() => {
    const made = soundUrl(wav);
    keep(made);
    return () => URL.revokeObjectURL(made);
  }, [wav]);
  return h('audio', { controls: true, src: url, 'aria-label': label });
}
