/// Parts of the configuration that are understood and that this version does not carry out.
/// Whoever builds one deletes its entry from ``list``, and its notice is gone.
public enum NotYet: Sendable, Equatable {
    case captureSources
    case rawSources
    /// Encoders other than libx264, and with them codecs other than h264.
    case otherEncoders
    /// An image, a text or a delay of the slate.
    case slateSettings
    /// The status file and the status server.
    case statusOutputs

    public static let list: [NotYet] = [
        .captureSources, .rawSources, .otherEncoders, .slateSettings, .statusOutputs,
    ]
}
