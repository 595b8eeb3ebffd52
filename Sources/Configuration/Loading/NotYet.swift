/// Parts of the configuration that are understood and that this version does not carry out.
/// Whoever builds one deletes its entry from ``list``, and its notice is gone.
public enum NotYet: Sendable, Equatable {
    /// Who may publish to a listener: FFmpeg 5.1 lets everybody in who reaches an RTMP port, and looks at no SRT stream id.
    case ingestKeys
    /// The streams between the service's processes, MPEG-TS, do not carry it in the FFmpegs that are common.
    case av1

    public static let list: [NotYet] = [
        .ingestKeys, .av1,
    ]
}
