/// The kinds of encoder a box may have.
package enum EncoderFamily: String, Sendable, CaseIterable {
    case nvenc, vaapi, qsv, v4l2m2m, software
}

/// Which encoders `auto` tries, for every group.
package struct EncoderPreferences: Sendable, Equatable {
    /// Best first, each at most once; a family that is left out is never used.
    package var order: [EncoderFamily]

    package static let defaultOrder: [EncoderFamily] = [.nvenc, .vaapi, .qsv, .v4l2m2m, .software]

    package init(order: [EncoderFamily] = Self.defaultOrder) { self.order = order }
}
