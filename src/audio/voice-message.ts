import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from './frame.ts';
import { Framer } from './framer.ts';
import { muxOggOpus, OPUS_FILE_RATE_HZ } from './ogg.ts';
import { OpusEncoder } from './opus.ts';
import { encodeWaveform } from './waveform.ts';

/** What Discord wants with a voice message. */
export interface VoiceMessage {
  /** Ogg Opus, mono. */
  readonly file: Uint8Array;
  readonly durationSecs: number;
  /** Base64, see {@link encodeWaveform}. */
  readonly waveform: string;
}

/**
 * Turns 24 kHz mono sound into a voice message that plays exactly as long as the sound. About 20 ms of work for a second
 * of sound: callers with minutes of it should expect the pause.
 */
export function encodeVoiceMessage(samples: Int16Array): VoiceMessage {
  using encoder = new OpusEncoder('file');
  const lookahead = encoder.lookaheadSamples;
  const framer = new Framer();
  const frames = [...framer.push(samples), ...framer.push(new Int16Array(lookahead))];
  const last = framer.flush();
  if (last) frames.push(last);
  const scale = OPUS_FILE_RATE_HZ / SAMPLE_RATE_HZ;
  return {
    file: muxOggOpus(
      frames.map((frame) => encoder.encode(frame)),
      {
        samples: samples.length * scale,
        preSkip: lookahead * scale,
        packetSamples: FRAME_SAMPLES * scale,
        sourceRateHz: SAMPLE_RATE_HZ,
      },
    ),
    durationSecs: samples.length / SAMPLE_RATE_HZ,
    waveform: encodeWaveform(samples),
  };
}
