/// The kinds of encoder a box may have.
public enum EncoderFamily: String, Sendable, CaseIterable {
    case nvenc, vaapi, qsv, v4l2m2m, software
}

/// Which encoders `auto` tries, for every group.
public struct EncoderPreferences: Sendable, Equatable {
    /// Best first, each at most once; a family that is left out is never used.
    public var order: [EncoderFamily]

    public static let defaultOrder: [EncoderFamily] = [.nvenc, .vaapi, .qsv, .v4l2m2m, .software]

    public init(order: [EncoderFamily] = Self.defaultOrder) { self.order = order }
}
