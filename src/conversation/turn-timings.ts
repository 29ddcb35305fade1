/** How long the stages of one spoken turn took: milliseconds from the last voiced frame, where nothing else is said. */
export interface TurnTimings {
  /** Until the turn counted as ended. */
  readonly endOfTurnMs: number;
  /** `hit`: the answer was asked for before the turn counted as ended. `off`: it was not tried. */
  readonly speculation: 'hit' | 'miss' | 'off';
  /** Answers that were asked for and dropped, because the speaker went on. */
  readonly dropped: number;
  /** Until the model was asked; negative while the last frame was still on its way. */
  readonly askedMs: number | undefined;
  /** Until the reply's first event came. */
  readonly firstByteMs: number | undefined;
  /** Until its first sound that is not silence came. */
  readonly firstAudioMs: number | undefined;
  /** Until its first packet left. */
  readonly firstPacketMs: number | undefined;
  /** Sound that was played, not counted from anywhere. */
  readonly playedMs: number;
  readonly heard: 'whole' | 'part' | 'nothing';
}
