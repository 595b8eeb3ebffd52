/// MPEG-TS on standard output, as every process that feeds a feed writes it.
///
/// The first mapped stream gets PID 256, the second 257: video before audio.
enum TransportStreamOutput {
    static let options = [
        "-f", "mpegts",
        // The source's timestamps, not moved by the muxer's own delay.
        "-mpegts_copyts", "1", "-muxdelay", "0", "-muxpreload", "0",
        "-flush_packets", "1", "pipe:1",
    ]

    static let mapping = ["-map", "0:v:0", "-map", "0:a:0?"]
}
