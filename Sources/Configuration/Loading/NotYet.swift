/// Parts of the configuration that are understood and that this version does not carry out.
/// Whoever builds one deletes its entry from ``list``, and its notice is gone.
public enum NotYet: Sendable, Equatable {
    case captureSources
    case rawSources
    /// Who may publish to a listener: FFmpeg 5.1 lets everybody in who reaches an RTMP port, and looks at no SRT stream id.
    case ingestKeys
    /// Encoders of GPUs, unless the operator hands a group over to one; and AV1.
    case otherEncoders
    /// The status over HTTP.
    case statusServer

    public static let list: [NotYet] = [
        .captureSources, .rawSources, .ingestKeys, .otherEncoders, .statusServer,
    ]
}
