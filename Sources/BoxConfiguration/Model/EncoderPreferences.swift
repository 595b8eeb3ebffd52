/// The families of encoders.
package enum EncoderFamily: String, Sendable, CaseIterable {
    case nvenc, vaapi, qsv, v4l2m2m, software
}

/// The encoders that `auto` tries, for every group.
package struct EncoderPreferences: Sendable, Equatable {
    /// The families, best first, each at most once. A family that is not listed is never used.
    package var order: [EncoderFamily]

    package static let defaultOrder: [EncoderFamily] = [.nvenc, .vaapi, .qsv, .v4l2m2m, .software]

    package init(order: [EncoderFamily] = Self.defaultOrder) { self.order = order }
}
