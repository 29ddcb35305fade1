/** What is said in a stretch of a file. */
export interface TranscriptPart {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

export const TRANSCRIPT_FORMATS = ['txt', 'md', 'srt', 'vtt'] as const;

export type TranscriptFormat = (typeof TRANSCRIPT_FORMATS)[number];

/** A transcript as a file of this format. */
export function exportTranscript(parts: readonly TranscriptPart[], format: TranscriptFormat, title: string): string {
  switch (format) {
    case 'txt':
      return `${plainText(parts)}\n`;
    case 'md': {
      const paragraphs = parts.map(({ startMs, text }) => `**${shortTime(startMs)}** ${oneLine(text)}\n`);
      return [`# ${oneLine(title)}\n`, ...paragraphs].join('\n');
    }
    case 'srt':
      return parts
        .map((part, i) => `${i + 1}\n${time(part.startMs, ',')} --> ${time(part.endMs, ',')}\n${cueText(part)}\n`)
        .join('\n');
    case 'vtt': {
      const cues = parts.map(
        (part) => `${time(part.startMs, '.')} --> ${time(part.endMs, '.')}\n${escapeCue(cueText(part))}\n`,
      );
      return ['WEBVTT\n', ...cues].join('\n');
    }
  }
}

/** The words alone, a paragraph a part. */
export function plainText(parts: readonly TranscriptPart[]): string {
  return parts.map(({ text }) => text.trim()).join('\n\n');
}

/** An empty line would end the cue, and an arrow would look like its times. */
function cueText({ text }: TranscriptPart): string {
  return oneLine(text).replaceAll('-->', '->');
}

function escapeCue(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function time(ms: number, decimal: ',' | '.'): string {
  const whole = Math.round(ms);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const fraction = String(whole % 1000).padStart(3, '0');
  return `${two(whole / 3_600_000)}:${two((whole / 60_000) % 60)}:${two((whole / 1000) % 60)}${decimal}${fraction}`;
}

/** Minutes and seconds, with hours where there are any. */
function shortTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
