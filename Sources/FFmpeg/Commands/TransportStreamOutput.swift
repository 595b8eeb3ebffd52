/// MPEG-TS on standard output, in the form that all processes write for a feed.
///
/// The first mapped stream gets PID 256, the second 257: video before audio.
enum TransportStreamOutput {
    static let options =
        common + [
            // An encoder's timestamps are negative if it began shortly before the wrap. They must not be moved to zero.
            "-avoid_negative_ts", "disabled",
            "-muxdelay", "0",
            // Each audio frame is written at once, and does not wait for the next one.
            "-pes_payload_size", "0", "pipe:1",
        ]

    /// A relay's audio goes out two frames at a time (half of the muxer's delay): each packet wakes the service, and in
    /// a channel without encoding that is most of its work.
    static let relay = relayOptions + ["pipe:1"]

    /// The same on the descriptor that is otherwise the standard input, for the audio of a card.
    static let audio = relayOptions + ["pipe:0"]

    /// For a process that passes streams on in order: no stream waits for another, and each audio frame goes out at
    /// once.
    static let handedOn = common + ["-max_interleave_delta", "1", "-muxdelay", "0", "-pes_payload_size", "0", "pipe:1"]

    private static let relayOptions = common + ["-muxdelay", "0.07"]

    private static let common = [
        "-f", "mpegts",
        // Keep the source's timestamps: the muxer's own delay must not move them.
        "-mpegts_copyts", "1", "-muxpreload", "0",
        // If the audio stops, the video waits for it no longer than this (microseconds). FFmpeg's default is 10 s.
        "-max_interleave_delta", "300000",
        // Frames of up to 64 KB carry their length, so a reader has them whole without waiting for the next one.
        "-omit_video_pes_length", "0",
        "-flush_packets", "1",
    ]

    /// Selects the first video and the first audio stream. The video has to exist.
    static let mapFirstStreams = ["-map", "0:v:0", "-map", "0:a:0?"]
}
