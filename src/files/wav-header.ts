import { WavError, wavInfo, type WavInfo } from '../audio/wav.ts';
import { AttachmentError } from './attachment-error.ts';

/** The header of a WAV file. @throws {AttachmentError} */
export function readWavInfo(bytes: Uint8Array): WavInfo {
  try {
    return wavInfo(bytes);
  } catch (cause) {
    if (cause instanceof WavError) throw new AttachmentError(cause.problem, cause.message, { cause });
    throw cause;
  }
}
