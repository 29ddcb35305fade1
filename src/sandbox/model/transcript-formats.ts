import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { splitSentences } from '../speech/sentences.ts';

interface Segment {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A transcript in one of the API's formats. Times inside it are estimated from the number of characters. */
export function transcriptBody(
  text: string,
  { samples, format, wordTimes }: { samples: Int16Array; format: string; wordTimes: boolean },
): { contentType: string; body: string } {
  const seconds = samples.length / SAMPLE_RATE_HZ;
  const segments = spread(splitSentences(text), 0, seconds);
  switch (format) {
    case 'text':
      return { contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
    case 'srt':
      return { contentType: 'text/plain; charset=utf-8', body: segments.map(srtCue).join('') };
    case 'vtt':
      return { contentType: 'text/plain; charset=utf-8', body: `WEBVTT\n\n${segments.map(vttCue).join('')}` };
    case 'verbose_json':
      return json({
        task: 'transcribe',
        language: 'english',
        duration: seconds,
        text,
        segments: segments.map((segment, id) => ({ id, seek: 0, ...segment, ...NO_STATISTICS })),
        ...(wordTimes ? { words: wordsOf(segments) } : {}),
      });
    case 'diarized_json':
      return json({
        task: 'transcribe',
        duration: seconds,
        text,
        segments: segments.map((segment, index) => ({
          type: 'transcript.text.segment',
          id: `seg_${index}`,
          ...segment,
          speaker: 'A',
        })),
        usage: usage(text, seconds),
      });
    default:
      return json({ text, usage: usage(text, seconds) });
  }
}

const NO_STATISTICS = { tokens: [], temperature: 0, avg_logprob: 0, compression_ratio: 1, no_speech_prob: 0 };

function json(value: unknown): { contentType: string; body: string } {
  return { contentType: 'application/json', body: JSON.stringify(value) };
}

function usage(text: string, seconds: number): object {
  const input = Math.ceil(seconds * 10);
  const output = Math.ceil(text.length / 4);
  return {
    type: 'tokens',
    input_tokens: input,
    input_token_details: { audio_tokens: input, text_tokens: 0 },
    output_tokens: output,
    total_tokens: input + output,
  };
}

/** Gives each text a share of the time according to its length. */
function spread(texts: readonly string[], start: number, end: number): Segment[] {
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  let before = 0;
  return texts.map((text) => {
    const from = start + ((end - start) * before) / characters;
    before += text.length;
    const to = start + ((end - start) * before) / characters;
    return { start: Number(from.toFixed(3)), end: Number(to.toFixed(3)), text };
  });
}

function wordsOf(segments: readonly Segment[]): { word: string; start: number; end: number }[] {
  return segments.flatMap((segment) =>
    spread(segment.text.split(/\s+/u), segment.start, segment.end).map(({ text, start, end }) => ({
      word: text,
      start,
      end,
    })),
  );
}

function srtCue({ start, end, text }: Segment, index: number): string {
  return `${index + 1}\n${stamp(start, ',')} --> ${stamp(end, ',')}\n${text}\n\n`;
}

function vttCue({ start, end, text }: Segment): string {
  return `${stamp(start, '.')} --> ${stamp(end, '.')}\n${text}\n\n`;
}

function stamp(seconds: number, point: string): string {
  const ms = Math.round(seconds * 1000);
  const clock = new Date(ms).toISOString().slice(14, 19);
  const hours = String(Math.floor(ms / 3_600_000)).padStart(2, '0');
  return `${hours}:${clock}${point}${String(ms % 1000).padStart(3, '0')}`;
}
