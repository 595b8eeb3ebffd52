/// Parts of the configuration that are understood and that this version does not carry out.
/// Whoever builds one deletes its entry from ``list``, and its notice is gone.
public enum NotYet: Sendable, Equatable {
    case captureSources
    case rawSources
    /// Who may publish to a listener: FFmpeg 5.1 lets everybody in who reaches an RTMP port, and looks at no SRT stream id.
    case ingestKeys
    /// Encoders other than libx264, and with them codecs other than h264.
    case otherEncoders
    /// The picture that stands in when no source delivers.
    case slateSettings
    /// The status file and the status server.
    case statusOutputs

    public static let list: [NotYet] = [
        .captureSources, .rawSources, .ingestKeys, .otherEncoders, .slateSettings, .statusOutputs,
    ]
}
