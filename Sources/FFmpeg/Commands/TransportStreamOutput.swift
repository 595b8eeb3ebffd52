/// MPEG-TS on standard output, as every process that feeds a feed writes it.
///
/// The first mapped stream gets PID 256, the second 257: video before audio.
enum TransportStreamOutput {
    static let options =
        common + [
            // An encoder's times are negative when it began shortly before the wrap; they are not to be moved to zero.
            "-avoid_negative_ts", "disabled",
            "-muxdelay", "0",
            // Each frame of sound goes out when it is there, not when the next one is.
            "-pes_payload_size", "0", "pipe:1",
        ]

    /// A relay's sound goes out two frames at a time (half of the muxer's delay): each packet wakes the service, and in
    /// a channel that is passed through that is most of its work.
    static let relay = relayOptions + ["pipe:1"]

    /// The same on the descriptor that is else the standard input, for the sound of a card.
    static let sound = relayOptions + ["pipe:0"]

    /// For a process that puts the streams in order: none waits for another, and each frame of sound goes out when it
    /// is there.
    static let handedOn = common + ["-max_interleave_delta", "1", "-muxdelay", "0", "-pes_payload_size", "0", "pipe:1"]

    private static let relayOptions = common + ["-muxdelay", "0.07"]

    private static let common = [
        "-f", "mpegts",
        // The source's timestamps, not moved by the muxer's own delay.
        "-mpegts_copyts", "1", "-muxpreload", "0",
        // Where the sound stops, the picture waits for it no longer than this (microseconds); FFmpeg's own patience is
        // 10 s.
        "-max_interleave_delta", "300000",
        // Pictures of up to 64 KB say how long they are, so that a reader has them whole without waiting for the next.
        "-omit_video_pes_length", "0",
        "-flush_packets", "1",
    ]

    static let mapping = ["-map", "0:v:0", "-map", "0:a:0?"]
}
